package plugin

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// isForExpressions tells whether an expression or an alert rule takes the answer, not a panel.
func isForExpressions(req *backend.QueryDataRequest) bool {
	return req.GetHTTPHeader("X-Grafana-From-Expr") != "" || req.GetHTTPHeader("FromAlert") != "" || req.Headers["FromAlert"] != ""
}

// metricNames are the names that the sum and the rate of a metric have in an answer (contract/query.ts METRICS).
var metricNames = map[string][]string{
	"bytes":   {"bytes", "bps"},
	"packets": {"packets", "pps"},
	"flows":   {"flows", "fps"},
}

// asNumbers leaves one number per row: expressions take each column for a number of its own, and with several of them
// the labels of a row are not unique, which an alert rule refuses. The one that stays is what the query ranks by, unless
// the query names columns itself.
func asNumbers(frame *data.Frame, model json.RawMessage) {
	if frame.Meta == nil || !strings.HasPrefix(string(frame.Meta.Type), "numeric-") {
		return
	}
	query := struct {
		Metric  string   `json:"metric"`
		Measure string   `json:"measure"`
		Columns []string `json:"columns"`
	}{Metric: "bytes"}
	if json.Unmarshal(model, &query) != nil || len(query.Columns) > 0 {
		return
	}
	isNumber := func(field *data.Field) bool { return field.Type().Numeric() }
	isOther := func(field *data.Field) bool {
		return isNumber(field) && !ranks(field.Name, query.Metric, query.Measure)
	}
	if slices.ContainsFunc(frame.Fields, func(field *data.Field) bool { return isNumber(field) && !isOther(field) }) {
		frame.Fields = slices.DeleteFunc(frame.Fields, isOther)
	}
}

// ranks tells whether a column holds what a query of this metric and measure ranks by.
func ranks(name, metric, measure string) bool {
	switch measure {
	case "", "rate", "total":
		return slices.Contains(metricNames[metric], name)
	default:
		return name == measure || strings.HasPrefix(name, measure+"_")
	}
}
