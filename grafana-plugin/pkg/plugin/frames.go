package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// typesOfItems are the types that the SDK needs beside the ones that browsers know.
var typesOfItems = map[string]string{
	"time":    "time.Time",
	"number":  "float64",
	"string":  "string",
	"boolean": "bool",
	"other":   "json.RawMessage",
}

// decodeFrame reads a frame in the JSON that browsers take. The SDK wants to know in addition how values are held:
// expressions and alert rules take a time or a label only from columns that cannot be null.
func decodeFrame(text []byte) (*data.Frame, error) {
	var parts struct {
		Schema map[string]json.RawMessage `json:"schema"`
		Data   struct {
			Values []json.RawMessage `json:"values"`
			Nanos  json.RawMessage   `json:"nanos,omitempty"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, err
	}
	var fields []map[string]json.RawMessage
	if err := json.Unmarshal(parts.Schema["fields"], &fields); err != nil {
		return nil, fmt.Errorf("schema.fields: %w", err)
	}
	if len(fields) != len(parts.Data.Values) {
		return nil, fmt.Errorf("%d fields and %d columns of values", len(fields), len(parts.Data.Values))
	}
	for i, field := range fields {
		var simple string
		if err := json.Unmarshal(field["type"], &simple); err != nil || typesOfItems[simple] == "" {
			return nil, fmt.Errorf("field %d has no type that is known", i)
		}
		info, err := json.Marshal(map[string]any{"frame": typesOfItems[simple], "nullable": hasNull(parts.Data.Values[i])})
		if err != nil {
			return nil, err
		}
		field["typeInfo"] = info
	}
	var err error
	if parts.Schema["fields"], err = json.Marshal(fields); err != nil {
		return nil, err
	}
	typed, err := json.Marshal(parts)
	if err != nil {
		return nil, err
	}
	frame := &data.Frame{}
	if err := json.Unmarshal(typed, frame); err != nil {
		return nil, err
	}
	// Times without a series are an error to expressions; a frame without fields is "no data", and keeps its notices.
	if frame.Meta != nil && frame.Meta.Type == data.FrameTypeTimeSeriesWide && len(frame.Fields) == 1 {
		frame.Fields = nil
	}
	return frame, nil
}

// hasNull tells whether one of the values may be null: a text that contains these characters counts, too.
func hasNull(values []byte) bool {
	return bytes.HasPrefix(values, []byte("[null")) || bytes.Contains(values, []byte(",null"))
}
