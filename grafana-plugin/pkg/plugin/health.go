package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// oldestVersion is the first version of the collector that answers all that this plugin asks.
const oldestVersion = "0.1.0"

// status is the part of the collector's status that the health check tells (contract/api.ts StatusResponse).
type status struct {
	Version   string `json:"version"`
	Exporters int    `json:"exporters"`
	Store     *struct {
		Open      bool    `json:"open"`
		LastError *string `json:"lastError"`
		Tables    []struct {
			Rows     float64  `json:"rows"`
			OldestMs *float64 `json:"oldestMs"`
		} `json:"tables"`
	} `json:"store"`
}

// CheckHealth says whether queries will be answered, and if not, why and what to do.
func (d *Datasource) CheckHealth(ctx context.Context, _ *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	var got status
	if err := d.collector.json(ctx, http.MethodGet, "status", "", nil, &got); err != nil {
		return unhealthy(err)
	}
	if got.Version == "" || got.Store == nil {
		return unhealthy(&apiError{
			code:    "not_a_collector",
			message: d.collector.base.Redacted() + " answers, but not as a Ringflow collector does",
			hint:    "Set the URL of the data source to the collector's HTTP address, port 8055 unless it was changed",
		})
	}
	if isOlder(got.Version, oldestVersion) {
		return unhealthy(&apiError{
			code:    "too_old",
			message: fmt.Sprintf("The collector has version %s, this plugin needs %s or newer", got.Version, oldestVersion),
			hint:    "Update the collector",
		})
	}
	if !got.Store.Open {
		hint := "Wait a moment and try again"
		if got.Store.LastError != nil {
			hint = "Its last error: " + *got.Store.LastError
		}
		return unhealthy(&apiError{code: "store_unavailable", message: "The store of the collector is not open", hint: hint})
	}
	return healthy(got)
}

func healthy(got status) (*backend.CheckHealthResult, error) {
	rows, oldest := 0.0, 0.0
	for _, table := range got.Store.Tables {
		rows += table.Rows
		if table.OldestMs != nil && (oldest == 0 || *table.OldestMs < oldest) {
			oldest = *table.OldestMs
		}
	}
	message := fmt.Sprintf("Ringflow %s, %d exporters, flows since %s", got.Version, got.Exporters,
		time.UnixMilli(int64(oldest)).UTC().Format("2006-01-02 15:04 UTC"))
	if rows == 0 {
		message = fmt.Sprintf("Ringflow %s answers, but has no flows yet. Have a router or switch export NetFlow, IPFIX or sFlow to it", got.Version)
	}
	details, err := json.Marshal(map[string]any{"version": got.Version, "exporters": got.Exporters, "empty": rows == 0})
	return &backend.CheckHealthResult{Status: backend.HealthStatusOk, Message: message, JSONDetails: details}, err
}

func unhealthy(err error) (*backend.CheckHealthResult, error) {
	said := &apiError{message: err.Error()}
	_ = errors.As(err, &said)
	details, err := json.Marshal(map[string]string{"code": said.code, "cause": said.message, "hint": said.hint})
	return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: said.Error(), JSONDetails: details}, err
}

// isOlder compares versions by major, minor and patch; what cannot be read is not older.
func isOlder(version, than string) bool {
	a, b := numbersOf(version), numbersOf(than)
	if a == nil || b == nil {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

func numbersOf(version string) []int {
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return nil
	}
	numbers := make([]int, len(parts))
	for i, part := range parts {
		number, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		numbers[i] = number
	}
	return numbers
}
