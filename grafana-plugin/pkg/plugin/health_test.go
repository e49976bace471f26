package plugin

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

const someData = `{"version":"0.1.0","exporters":4,"store":{"open":true,"lastError":null,"tables":[{"table":"flows","rows":0,"oldestMs":null},{"table":"rings_1m","rows":12,"oldestMs":1795262400000}]}}`

func health(t *testing.T, d *Datasource) (bool, string) {
	t.Helper()
	got, err := d.CheckHealth(context.Background(), &backend.CheckHealthRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return got.Status == backend.HealthStatusOk, got.Message
}

func TestHealthTellsWhatIsThere(t *testing.T) {
	for body, want := range map[string]string{
		someData: "ok Ringflow 0.1.0, 4 exporters, flows since 2026-11-21 12:00 UTC",
		strings.ReplaceAll(someData, `"rows":12`, `"rows":0`):        "ok Ringflow 0.1.0 answers, but has no flows yet. Have a router or switch export NetFlow, IPFIX or sFlow to it",
		strings.ReplaceAll(someData, `"0.1.0"`, `"0.0.9-rc1"`):       "no The collector has version 0.0.9-rc1, this plugin needs 0.1.0 or newer. Update the collector",
		strings.ReplaceAll(someData, `"open":true`, `"open":false`):  "no The store of the collector is not open. Wait a moment and try again",
		`{"status":"ok","version":"v2.53.0"}`:                        "no URL answers, but not as a Ringflow collector does. Set the URL of the data source to the collector's HTTP address, port 8055 unless it was changed",
		strings.ReplaceAll(someData, `"version":"0.1.0"`, `"x":"y"`): "no URL answers, but not as a Ringflow collector does. Set the URL of the data source to the collector's HTTP address, port 8055 unless it was changed",
	} {
		s := serve(t, answer(200, body))
		ok, message := health(t, connect(t, s.URL, "", nil))
		same(t, body, map[bool]string{true: "ok ", false: "no "}[ok]+strings.ReplaceAll(message, s.URL, "URL"), want)
		same(t, "path", s.requests()[0].path, "/api/v1/status")
	}
}

func TestHealthOfSettingsThatCannotWork(t *testing.T) {
	for url, want := range map[string]string{
		"":                      "The data source has no URL. Set it to where the collector listens, for example http://127.0.0.1:8055",
		"127.0.0.1:8055":        `The URL "127.0.0.1:8055" cannot be used. Write scheme, host and port, for example http://127.0.0.1:8055`,
		"ftp://127.0.0.1":       `The URL "ftp://127.0.0.1" cannot be used. Write scheme, host and port, for example http://127.0.0.1:8055`,
		"http://nohost.invalid": `The host "nohost.invalid" is not known. Check the URL of the data source: its host must be one that Grafana's server can resolve`,
	} {
		ok, message := health(t, connect(t, url, "", nil))
		same(t, url, ok, false)
		same(t, url, message, want)
	}
	_, message := health(t, connect(t, "https://127.0.0.1:1", `{"tlsAuthWithCACert":true}`, map[string]string{"tlsCACert": "no certificate"}))
	same(t, "certificate", strings.HasPrefix(message, "The TLS settings of the data source cannot be used: "), true)
	same(t, "certificate", strings.HasSuffix(message, ". Paste certificates and keys in PEM format, from BEGIN to END"), true)
}

func TestHealthWhereNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	_ = listener.Close()
	ok, message := health(t, connect(t, url, "", nil))
	same(t, "ok", ok, false)
	same(t, "text", message, "Nothing listens at "+url+". Start the collector, or set the URL of the data source to where it listens")
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(answer(200, someData))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	address := s.Listener.Addr().String()
	plain := serve(t, answer(200, someData))

	for name, one := range map[string]struct {
		url, jsonData string
		secrets       map[string]string
		want          string
	}{
		"unknown authority": {"https://" + address, `{}`, nil, "no The certificate of https://" + address + " is signed by an authority that Grafana does not know. Paste the certificate of the authority into the TLS settings of the data source"},
		"given authority":   {"https://" + address, `{"tlsAuthWithCACert":true}`, map[string]string{"tlsCACert": authority}, "ok Ringflow 0.1.0, 4 exporters, flows since 2026-11-21 12:00 UTC"},
		"not verified":      {"https://" + address, `{"tlsSkipVerify":true}`, nil, "ok Ringflow 0.1.0, 4 exporters, flows since 2026-11-21 12:00 UTC"},
		"another name": {"https://" + address, `{"tlsAuthWithCACert":true,"serverName":"other.example.net"}`, map[string]string{"tlsCACert": authority},
			"no The certificate of https://" + address + " is for another name"},
		"TLS to plain": {strings.Replace(plain.URL, "http:", "https:", 1), `{}`, nil, "no " + strings.Replace(plain.URL, "http:", "https:", 1) + " does not speak TLS. Begin the URL of the data source with http://"},
		"plain to TLS": {"http://" + address, `{}`, nil, "no http://" + address + " is not a Ringflow collector: it answered 400 with nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			ok, message := health(t, connect(t, one.url, one.jsonData, one.secrets))
			got := map[bool]string{true: "ok ", false: "no "}[ok] + message
			if !strings.HasPrefix(got, one.want) {
				t.Errorf("got %q, want %q", got, one.want)
			}
		})
	}
}

func TestBasicAuthenticationAndCustomHeadersGiveWayToTheToken(t *testing.T) {
	s := serve(t, answer(200, someData))
	jsonData := `{"httpHeaderName1":"X-Extra"}`
	health(t, connect(t, s.URL, jsonData, map[string]string{"token": "t", "httpHeaderValue1": "v"}))
	sent := s.requests()[0]
	same(t, "token", sent.authorization, "Bearer t")
	same(t, "custom header", sent.header.Get("X-Extra"), "")
}

// A collector that was built answers the questions of this package; without one the test is skipped.
func TestARealCollector(t *testing.T) {
	url := os.Getenv("RINGFLOW_TEST_URL")
	if url == "" {
		t.Skip("RINGFLOW_TEST_URL names no collector")
	}
	d := connect(t, url, "", map[string]string{"token": os.Getenv("RINGFLOW_TEST_TOKEN")})
	ok, message := health(t, d)
	if !ok {
		t.Fatal(message)
	}
	for _, path := range []string{"fields", "exporters", "status", "values?field=proto"} {
		same(t, path, callOnce(t, d, http.MethodGet, path, "").Status, 200)
	}
	same(t, "validate", callOnce(t, d, http.MethodPost, "filter/validate", `{"filter":"proto = tcp"}`).Status, 200)
	got := query(t, d, ask("A", `{"kind":"timeseries"}`, hour), ask("B", `{"kind":"table","groupBy":["proto"]}`, hour), ask("C", `{"kind":"stat"}`, day),
		ask("D", `{"kind":"records"}`, hour), ask("E", `{"filter":"proto = = 3"}`, hour))
	for _, refID := range []string{"A", "B", "C", "D"} {
		if got[refID].Error != nil {
			t.Errorf("%s: %v", refID, got[refID].Error)
		}
	}
	same(t, "E", got["E"].Status, backend.StatusBadRequest)
}
