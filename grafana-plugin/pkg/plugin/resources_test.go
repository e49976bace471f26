package plugin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// call asks for a resource and returns the parts of the answer.
func call(ctx context.Context, d *Datasource, method, target, body string, each func(*backend.CallResourceResponse) error) error {
	path, _, _ := strings.Cut(target, "?")
	return d.CallResource(ctx, &backend.CallResourceRequest{
		Method: method, Path: path, URL: target, Body: []byte(body),
		Headers: map[string][]string{"Cookie": {"grafana_session=1"}, "Authorization": {"Bearer user"}, "X-Grafana-Id": {"u"}},
	}, backend.CallResourceResponseSenderFunc(each))
}

func callOnce(t *testing.T, d *Datasource, method, target, body string) *backend.CallResourceResponse {
	t.Helper()
	var got *backend.CallResourceResponse
	if err := call(context.Background(), d, method, target, body, func(r *backend.CallResourceResponse) error {
		got = r
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestResourcesThatAreForwarded(t *testing.T) {
	s := serve(t, answer(200, `{"ok":true}`))
	d := connect(t, s.URL+"/flows/", "", map[string]string{"token": "s3cret"})
	for target, want := range map[string]string{
		"GET fields": "GET /flows/api/v1/fields ?", "GET values?field=src_as&q=a%26b": "GET /flows/api/v1/values ?field=src_as&q=a%26b",
		"GET exporters": "GET /flows/api/v1/exporters ?", "GET events?from=1": "GET /flows/api/v1/events ?from=1", "GET status": "GET /flows/api/v1/status ?",
		"POST filter/validate": "POST /flows/api/v1/filter/validate ?", "POST filter/complete": "POST /flows/api/v1/filter/complete ?", "POST resolve": "POST /flows/api/v1/resolve ?",
	} {
		method, path, _ := strings.Cut(target, " ")
		got := callOnce(t, d, method, path, `{"a":1}`)
		same(t, target, got.Status, 200)
		same(t, target, string(got.Body), `{"ok":true}`)
		sent := s.requests()
		last := sent[len(sent)-1]
		same(t, target, last.method+" "+last.path+" ?"+last.query, want)
		same(t, target, last.authorization, "Bearer s3cret")
		same(t, target, last.header.Get("Cookie")+last.header.Get("X-Grafana-Id"), "")
	}
}

func TestNothingElseIsForwarded(t *testing.T) {
	s := serve(t, answer(200, `{}`))
	d := connect(t, s.URL, "", map[string]string{"token": "s3cret"})
	for _, target := range []string{
		"GET ", "GET query", "POST query", "POST ingest", "GET export", "POST fields", "DELETE fields", "PUT resolve", "get fields",
		"GET fields/../ingest", "GET ../../metrics", "GET fields%2f..%2fstatus", "GET //fields/x", "GET metrics", "GET http://example.org/fields",
	} {
		method, path, _ := strings.Cut(target, " ")
		got := callOnce(t, d, method, path, "")
		same(t, target, got.Status, 404)
	}
	same(t, "too long", callOnce(t, d, "POST", "resolve", strings.Repeat("x", maxRequestBytes+1)).Status, 413)
	same(t, "requests", len(s.requests()), 0)
}

func TestErrorsOfResources(t *testing.T) {
	s := serve(t, answer(400, `{"code":"query_unknown_field","message":"There is no field \"x\"","hint":"Did you mean y?"}`))
	got := callOnce(t, connect(t, s.URL, "", nil), "GET", "values?field=x", "")
	same(t, "status", got.Status, 400)
	same(t, "body", string(got.Body), `{"code":"query_unknown_field","hint":"Did you mean y?","message":"There is no field \"x\""}`)

	refused := serve(t, answer(401, `{"code":"unauthorized","message":"no"}`))
	same(t, "never 401", callOnce(t, connect(t, refused.URL, "", nil), "GET", "fields", "").Status, 400)
}

func TestATailIsSentLineByLineUntilTheCallerLeaves(t *testing.T) {
	ended := make(chan struct{})
	next := make(chan string)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for {
			select {
			case text := <-next:
				_, _ = io.WriteString(w, text)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				close(ended)
				return
			}
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var got []string
	go func() { next <- "{\"leftOut\":1}\n{\"left" }()
	// A timeout of the settings does not end a tail; lines are whole whatever the pieces were.
	err := call(ctx, connect(t, s.URL, `{"timeout":1}`, nil), "GET", "tail?filter=a", "", func(r *backend.CallResourceResponse) error {
		got = append(got, string(r.Body))
		if len(got) == 1 {
			same(t, "content type", r.Headers["Content-Type"][0], "application/x-ndjson")
			go func() { next <- "Out\":2}\n" }()
		} else {
			same(t, "second head", len(r.Headers), 0)
			cancel()
		}
		return nil
	})
	same(t, "error", err, nil)
	same(t, "lines", strings.Join(got, "|"), "{\"leftOut\":1}\n|{\"leftOut\":2}\n")
	same(t, "query", s.requests()[0].query, "filter=a")
	<-ended
}

func TestATailEndsWhenItsReaderFails(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, "{}\n{}\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	gone := errors.New("gone")
	err := call(context.Background(), connect(t, s.URL, "", nil), "GET", "tail", "", func(*backend.CallResourceResponse) error { return gone })
	same(t, "error", err, gone)
}
