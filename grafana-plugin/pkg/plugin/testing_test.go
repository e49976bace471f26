package plugin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// request is what a server got.
type request struct {
	method, path, query, authorization, body string
	header                                   http.Header
}

// server answers everything with one handler and keeps what it got.
type server struct {
	*httptest.Server
	lock sync.Mutex
	got  []request
}

func serve(t *testing.T, handle http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(s.keep(handle))
	t.Cleanup(s.Close)
	return s
}

func (s *server) keep(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.lock.Lock()
		s.got = append(s.got, request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), string(body), r.Header})
		s.lock.Unlock()
		handle(w, r)
	}
}

func (s *server) requests() []request {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]request(nil), s.got...)
}

// answer is a handler that sends JSON.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// connect makes a data source as Grafana does.
func connect(t *testing.T, url, jsonData string, secrets map[string]string) *Datasource {
	t.Helper()
	if jsonData == "" {
		jsonData = "{}"
	}
	instance, err := New(context.Background(), backend.DataSourceInstanceSettings{
		Type: "ringflow-flows-datasource", UID: "flows", URL: url, JSONData: json.RawMessage(jsonData), DecryptedSecureJSONData: secrets,
	})
	if err != nil {
		t.Fatal(err)
	}
	d := instance.(*Datasource)
	t.Cleanup(d.Dispose)
	return d
}

var (
	noon = time.UnixMilli(1_795_262_400_000)
	hour = backend.TimeRange{From: noon, To: noon.Add(time.Hour)}
	day  = backend.TimeRange{From: noon.Add(-23 * time.Hour), To: noon.Add(time.Hour)}
)

func ask(refID, model string, over backend.TimeRange) backend.DataQuery {
	return backend.DataQuery{RefID: refID, JSON: json.RawMessage(model), TimeRange: over}
}

func query(t *testing.T, d *Datasource, queries ...backend.DataQuery) backend.Responses {
	t.Helper()
	got, err := d.QueryData(context.Background(), &backend.QueryDataRequest{Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	return got.Responses
}

// same fails the test when a value is not what it should be.
func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
