// Package plugin forwards what Grafana asks to a Ringflow collector, which answers in Grafana's own format.
package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
)

// maxQueries is the most queries that a collector takes in one request (contract/query.ts MAX_QUERIES).
const maxQueries = 50

// Datasource is one configured data source. It keeps nothing but connections.
type Datasource struct {
	collector *collector
}

var (
	_ backend.QueryDataHandler      = (*Datasource)(nil)
	_ backend.CallResourceHandler   = (*Datasource)(nil)
	_ backend.CheckHealthHandler    = (*Datasource)(nil)
	_ instancemgmt.InstanceDisposer = (*Datasource)(nil)
)

// New makes the data source of these settings. What is wrong with them is said by each call, so that the health check
// can show it.
func New(ctx context.Context, settings backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	return &Datasource{collector: newCollector(ctx, settings)}, nil
}

// Dispose closes what is left of connections when the settings change.
func (d *Datasource) Dispose() {
	d.collector.close()
}

// window is a time range in milliseconds since the epoch, [From, To).
type window struct{ from, to int64 }

// QueryData sends the queries of each time range in one request: panels have one range, alert rules may have several.
func (d *Datasource) QueryData(ctx context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	groups := map[window][]backend.DataQuery{}
	for _, query := range req.Queries {
		w := window{query.TimeRange.From.UnixMilli(), query.TimeRange.To.UnixMilli()}
		groups[w] = append(groups[w], query)
	}
	response := backend.NewQueryDataResponse()
	forExpressions := isForExpressions(req)
	var lock sync.Mutex
	var all sync.WaitGroup
	for w, queries := range groups {
		for first := 0; first < len(queries); first += maxQueries {
			part := queries[first:min(first+maxQueries, len(queries))]
			all.Go(func() {
				answers := d.query(ctx, w, part)
				if forExpressions {
					for _, query := range part {
						for _, frame := range answers[query.RefID].Frames {
							asNumbers(frame, query.JSON)
						}
					}
				}
				lock.Lock()
				defer lock.Unlock()
				maps.Copy(response.Responses, answers)
			})
		}
	}
	all.Wait()
	return response, nil
}

// result is the answer to one query; contract/query.ts QueryResult.
type result struct {
	Status      int               `json:"status"`
	Frames      []json.RawMessage `json:"frames"`
	Error       string            `json:"error"`
	ErrorSource string            `json:"errorSource"`
}

// query asks for queries of one window. Each of them has an answer, whatever goes wrong.
func (d *Datasource) query(ctx context.Context, w window, queries []backend.DataQuery) backend.Responses {
	answers := backend.Responses{}
	sent := make([]json.RawMessage, 0, len(queries))
	for _, query := range queries {
		body, err := bodyOf(query)
		if err != nil {
			answers[query.RefID] = failed(backend.StatusBadRequest, backend.ErrorSourcePlugin, err)
			continue
		}
		sent = append(sent, body)
	}
	if len(sent) == 0 {
		return answers
	}
	request, err := json.Marshal(map[string]any{"from": w.from, "to": w.to, "queries": sent})
	var response struct {
		Results map[string]result `json:"results"`
	}
	if err == nil {
		err = d.collector.json(ctx, http.MethodPost, "query", "", request, &response)
	}
	for _, query := range queries {
		if _, done := answers[query.RefID]; done {
			continue
		}
		if err != nil {
			answers[query.RefID] = failed(statusOf(err), backend.ErrorSourceDownstream, err)
		} else if one, found := response.Results[query.RefID]; found {
			answers[query.RefID] = one.data()
		} else {
			answers[query.RefID] = failed(backend.StatusBadGateway, backend.ErrorSourceDownstream,
				errors.New("the collector did not answer this query. Check that collector and plugin are of the same version"))
		}
	}
	return answers
}

// bodyOf is the query as it was saved, with what Grafana knows of the panel.
func bodyOf(query backend.DataQuery) (json.RawMessage, error) {
	model := map[string]any{}
	if err := json.Unmarshal(query.JSON, &model); err != nil {
		return nil, fmt.Errorf("the query is not a JSON object: %w", err)
	}
	model["refId"] = query.RefID
	if query.Interval > 0 {
		model["intervalMs"] = query.Interval.Milliseconds()
	}
	if query.MaxDataPoints > 0 {
		model["maxDataPoints"] = query.MaxDataPoints
	}
	return json.Marshal(model)
}

func (r result) data() backend.DataResponse {
	answer := backend.DataResponse{Status: backend.Status(r.Status)}
	if r.Error != "" {
		answer.Error = errors.New(r.Error)
		answer.ErrorSource = backend.ErrorSourceDownstream
		if r.ErrorSource == string(backend.ErrorSourcePlugin) {
			answer.ErrorSource = backend.ErrorSourcePlugin
		}
	}
	for _, text := range r.Frames {
		frame, err := decodeFrame(text)
		if err != nil {
			return failed(backend.StatusBadGateway, backend.ErrorSourceDownstream,
				fmt.Errorf("the answer of the collector cannot be read: %w", err))
		}
		answer.Frames = append(answer.Frames, frame)
	}
	return answer
}

func failed(status backend.Status, source backend.ErrorSource, err error) backend.DataResponse {
	return backend.DataResponse{Status: status, ErrorSource: source, Error: err}
}

// statusOf is the HTTP status that an error stands for.
func statusOf(err error) backend.Status {
	var refused *apiError
	if errors.As(err, &refused) {
		return backend.Status(refused.status)
	}
	return backend.StatusBadGateway
}
