package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

const wide = `{"schema":{"refId":"A","meta":{"type":"timeseries-wide","typeVersion":[0,1],"preferredVisualisationType":"graph",
"executedQueryString":"SELECT 1","stats":[{"displayName":"Rows read","value":7}],"notices":[{"severity":"info","text":"sampled","code":"sampled"}],
"custom":{"table":"rings_1m"}},"fields":[{"name":"time","type":"time","config":{"interval":60000}},
{"name":"bps","type":"number","labels":{"proto":"TCP"},"config":{"unit":"bps","displayNameFromDS":"TCP","min":0}}]},
"data":{"values":[[1795262400000,1795262460000],[1.5,null]]}}`

func results(frames string) string {
	return `{"results":{"A":{"status":200,"frames":[` + frames + `]}}}`
}

func TestForwardsQueriesAsTheyWereSaved(t *testing.T) {
	s := serve(t, answer(200, results(wide)))
	d := connect(t, s.URL+"/", "", map[string]string{"token": "s3cret"})
	one := ask("A", `{"refId":"old","kind":"timeseries","groupBy":["proto"],"version":0,"unknown":{"kept":[1,2]},"intervalMs":1}`, hour)
	one.Interval, one.MaxDataPoints = time.Minute, 500
	got := query(t, d, one)

	sent := s.requests()
	same(t, "requests", len(sent), 1)
	same(t, "way", sent[0].method+" "+sent[0].path, "POST /api/v1/query")
	same(t, "token", sent[0].authorization, "Bearer s3cret")
	same(t, "content type", sent[0].header.Get("Content-Type"), "application/json")
	same(t, "body", sent[0].body, `{"from":1795262400000,"queries":[{"groupBy":["proto"],"intervalMs":60000,"kind":"timeseries","maxDataPoints":500,"refId":"A","unknown":{"kept":[1,2]},"version":0}],"to":1795266000000}`)

	frame := got["A"].Frames[0]
	same(t, "status", got["A"].Status, backend.StatusOK)
	same(t, "time", frame.Fields[0].Type().ItemTypeString(), "time.Time")
	same(t, "number", frame.Fields[1].Type().ItemTypeString(), "*float64")
	same(t, "value", *frame.Fields[1].At(0).(*float64), 1.5)
	same(t, "gap", frame.Fields[1].At(1).(*float64), nil)
	same(t, "label", frame.Fields[1].Labels["proto"], "TCP")
	same(t, "unit", frame.Fields[1].Config.Unit, "bps")
	same(t, "interval", frame.Fields[0].Config.Interval, 60000)
	same(t, "SQL", frame.Meta.ExecutedQueryString, "SELECT 1")
	same(t, "notice", frame.Meta.Notices[0].Text, "sampled")
	same(t, "custom", fmt.Sprint(frame.Meta.Custom), "map[table:rings_1m]")
}

func TestOneRequestPerTimeRange(t *testing.T) {
	s := serve(t, answer(200, `{"results":{"A":{"status":200,"frames":[]},"B":{"status":200,"frames":[]},"C":{"status":200,"frames":[]}}}`))
	got := query(t, connect(t, s.URL, "", nil), ask("A", `{}`, hour), ask("B", `{}`, day), ask("C", `{}`, hour))
	same(t, "answers", len(got), 3)
	sent := s.requests()
	same(t, "requests", len(sent), 2)
	for _, one := range sent {
		same(t, "queries of "+one.body, strings.Count(one.body, "refId"), map[bool]int{true: 2, false: 1}[strings.Contains(one.body, `"from":1795262400000`)])
		same(t, "token", one.authorization, "")
	}
}

func TestManyQueriesGoInSeveralRequests(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(200, `{"results":{}}`)(w, r) })
	var queries []backend.DataQuery
	for i := range 120 {
		queries = append(queries, ask(fmt.Sprintf("Q%d", i), `{}`, hour))
	}
	got := query(t, connect(t, s.URL, "", nil), queries...)
	same(t, "requests", len(s.requests()), 3)
	same(t, "answers", len(got), 120)
	same(t, "error", got["Q0"].Error.Error(), "the collector did not answer this query. Check that collector and plugin are of the same version")
}

func TestAnErrorBelongsToItsQuery(t *testing.T) {
	s := serve(t, answer(200, `{"results":{"A":`+strings.TrimSuffix(strings.TrimPrefix(results(wide), `{"results":{"A":`), `}}`)+`,
		"B":{"status":400,"frames":[],"error":"Found \"=\". Give an address","errorSource":"plugin","code":"filter_bad_value","hint":"Give an address","position":11,"length":1},
		"C":{"status":504,"frames":[],"error":"Too slow","errorSource":"downstream","code":"query_timeout"}}}`))
	got := query(t, connect(t, s.URL, "", nil), ask("A", `{}`, hour), ask("B", `{}`, hour), ask("C", `{}`, hour), ask("D", `[`, hour))
	same(t, "A", len(got["A"].Frames), 1)
	same(t, "A", got["A"].Error, nil)
	same(t, "B", got["B"].Error.Error(), `Found "=". Give an address`)
	same(t, "B", got["B"].Status, backend.StatusBadRequest)
	same(t, "B", got["B"].ErrorSource, backend.ErrorSourcePlugin)
	same(t, "C", got["C"].Status, backend.Status(504))
	same(t, "C", got["C"].ErrorSource, backend.ErrorSourceDownstream)
	same(t, "D", got["D"].Error.Error(), "the query is not a JSON object: unexpected end of JSON input")
}

func TestEachQuerySaysWhyTheCollectorRefused(t *testing.T) {
	for name, one := range map[string]struct {
		handle http.HandlerFunc
		token  string
		urls   int
		status backend.Status
		want   string
	}{
		"token refused": {answer(401, `{"code":"unauthorized","message":"The token is missing or wrong"}`), "x", 0, 400,
			"The collector refuses the token. Paste the value of http.token of the collector as the token of the data source"},
		"token missing": {answer(401, `{"code":"unauthorized","message":"The token is missing or wrong"}`), "", 0, 400,
			"The collector wants a token, and the data source has none. Paste the value of http.token of the collector as the token of the data source"},
		"API error": {answer(413, `{"code":"body_too_large","message":"The request body is too large","hint":"Send fewer queries"}`), "", 0, 413,
			"The request body is too large. Send fewer queries"},
		"another product": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		}, "", 1, 502, "URL is not a Ringflow collector: it answered 200 with text/html. Set the URL of the data source to the collector's HTTP address, port 8055 unless it was changed"},
		"redirect": {http.RedirectHandler("https://example.org/login", 302).ServeHTTP, "x", 1, 502,
			"URL sends on to https://example.org/login. Set the URL of the data source to where it leads"},
		"broken answer": {answer(200, `{"results":{"A":`), "", 0, 502,
			"The answer of the collector cannot be read: unexpected end of JSON input. Check that nothing between Grafana and the collector changes answers"},
		"broken frame": {answer(200, results(`{"schema":{"fields":[{"name":"a","type":"blob"}]},"data":{"values":[[1]]}}`)), "", 0, 502,
			"the answer of the collector cannot be read: field 0 has no type that is known"},
		"columns missing": {answer(200, results(`{"schema":{"fields":[{"name":"a","type":"number"}]},"data":{"values":[]}}`)), "", 0, 502,
			"the answer of the collector cannot be read: 1 fields and 0 columns of values"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, one.handle)
			got := query(t, connect(t, s.URL, "", map[string]string{"token": one.token}), ask("A", `{}`, hour))["A"]
			same(t, "text", got.Error.Error(), strings.Replace(one.want, "URL ", s.URL+" ", one.urls))
			same(t, "status", got.Status, one.status)
			same(t, "source", got.ErrorSource, backend.ErrorSourceDownstream)
			same(t, "requests", len(s.requests()), 1)
		})
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		line := []byte(strings.Repeat(" ", 1<<20))
		for range maxAnswerBytes>>20 + 1 {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	})
	got := query(t, connect(t, s.URL, "", nil), ask("A", `{}`, hour))["A"]
	same(t, "text", got.Error.Error(), "The answer is longer than 64 MiB. Ask for fewer rows or series, or for a shorter time")
	same(t, "status", got.Status, backend.Status(413))
}

func TestWhoGoesAwayEndsTheRequest(t *testing.T) {
	ended := make(chan struct{})
	began := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-began
		cancel()
	}()
	got, err := connect(t, s.URL, "", nil).QueryData(ctx, &backend.QueryDataRequest{Queries: []backend.DataQuery{ask("A", `{}`, hour)}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "status", got.Responses["A"].Status, backend.Status(499))
	<-ended
}

func TestATimeoutOfTheSettingsHolds(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	got := query(t, connect(t, s.URL, `{"timeout":1}`, nil), ask("A", `{}`, hour))["A"]
	same(t, "text", got.Error.Error(), "The collector at "+s.URL+" did not answer within 1s. Ask for less or for a shorter time, or raise the timeout of the data source")
	same(t, "status", got.Status, backend.Status(504))
}

func TestExpressionsGetOneNumberPerRow(t *testing.T) {
	table := `{"schema":{"meta":{"type":"numeric-long","typeVersion":[0,1]},"fields":[{"name":"proto","type":"string"},{"name":"bytes","type":"number"},
		{"name":"packets","type":"number"},{"name":"flows","type":"number"},{"name":"share","type":"number"}]},"data":{"values":[["TCP"],[1],[2],[3],[4]]}}`
	s := serve(t, answer(200, results(table)))
	d := connect(t, s.URL, "", nil)
	for model, want := range map[string]string{
		`{"kind":"table"}`:                           "proto bytes",
		`{"kind":"table","metric":"packets"}`:        "proto packets",
		`{"kind":"table","measure":"share"}`:         "proto share",
		`{"kind":"table","columns":["a"]}`:           "proto bytes packets flows share",
		`{"kind":"table","measure":"newer than me"}`: "proto bytes packets flows share",
	} {
		for _, headers := range []map[string]string{{"http_X-Grafana-From-Expr": "true"}, {"FromAlert": "true"}, {}} {
			got, err := d.QueryData(context.Background(), &backend.QueryDataRequest{Headers: headers, Queries: []backend.DataQuery{ask("A", model, hour)}})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, field := range got.Responses["A"].Frames[0].Fields {
				names = append(names, field.Name)
			}
			expected := want
			if len(headers) == 0 {
				expected = "proto bytes packets flows share"
			}
			same(t, fmt.Sprint(model, headers), strings.Join(names, " "), expected)
		}
	}
}

func TestTimesWithoutASeriesAreNoData(t *testing.T) {
	s := serve(t, answer(200, results(`{"schema":{"meta":{"type":"timeseries-wide","notices":[{"severity":"info","text":"too old"}]},"fields":[{"name":"time","type":"time"}]},"data":{"values":[[1]]}}`)))
	frame := query(t, connect(t, s.URL, "", nil), ask("A", `{}`, hour))["A"].Frames[0]
	same(t, "fields", len(frame.Fields), 0)
	same(t, "notice", frame.Meta.Notices[0].Text, "too old")
}

func TestEveryTypeOfField(t *testing.T) {
	s := serve(t, answer(200, results(`{"schema":{"name":"edges","fields":[{"name":"a","type":"time"},{"name":"b","type":"string"},{"name":"c","type":"boolean"},{"name":"__nestedFrames","type":"other"}]},
		"data":{"values":[[1795262400000,null],["x",null],[true,false],[[{"schema":{"fields":[]}}],[]]],"nanos":[[123456,0],null,null,null]}}`)))
	frame := query(t, connect(t, s.URL, "", nil), ask("A", `{}`, hour))["A"].Frames[0]
	same(t, "name", frame.Name, "edges")
	same(t, "nanoseconds", frame.Fields[0].At(0).(*time.Time).UnixNano(), int64(1795262400000123456))
	same(t, "text", *frame.Fields[1].At(0).(*string), "x")
	same(t, "boolean", frame.Fields[2].At(0).(bool), true)
	same(t, "other", string(frame.Fields[3].At(0).(json.RawMessage)), `[{"schema":{"fields":[]}}]`)
}

func TestAConnectionThatTheCollectorClosesMeanwhileIsNoError(t *testing.T) {
	asked := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked != 2 {
			answer(200, results(wide))(w, r)
		} else if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = connection.Close()
		}
	})
	d := connect(t, s.URL, "", nil)
	same(t, "first", query(t, d, ask("A", `{}`, hour))["A"].Error, nil)
	same(t, "second", query(t, d, ask("A", `{}`, hour))["A"].Error, nil)
	same(t, "requests", len(s.requests()), 3)
	same(t, "header", s.requests()[2].header.Get("Idempotency-Key"), "")
}
