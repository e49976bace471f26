package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"
)

const (
	// apiPath is where all paths of the collector's API are.
	apiPath = "api/v1"
	// defaultTimeout is how long a call may take where the settings do not say.
	defaultTimeout = 30 * time.Second
	// maxAnswerBytes bounds what one answer may hold in memory.
	maxAnswerBytes = 64 << 20
	// maxErrorBytes is how much of the body of a refusal is read.
	maxErrorBytes = 64 << 10
)

// collector is where calls go, and how.
type collector struct {
	// err says what is wrong with the settings.
	err     error
	base    *url.URL
	token   string
	timeout time.Duration
	client  *http.Client
}

func newCollector(ctx context.Context, settings backend.DataSourceInstanceSettings) *collector {
	c := &collector{token: settings.DecryptedSecureJSONData["token"], timeout: defaultTimeout}
	if c.base, c.err = parseURL(settings.URL); c.err != nil {
		return c
	}
	options, err := settings.HTTPClientOptions(ctx)
	if err != nil {
		c.err = &apiError{status: http.StatusBadRequest, message: "The settings of the data source cannot be read: " + err.Error()}
		return c
	}
	var given struct {
		Timeout json.Number `json:"timeout"`
	}
	if json.Unmarshal(settings.JSONData, &given) == nil {
		if seconds, err := given.Timeout.Int64(); err == nil && seconds > 0 {
			c.timeout = time.Duration(seconds) * time.Second
		}
	}
	// A tail goes on for long: every other call has a deadline of its own.
	options.Timeouts.Timeout = 0
	// The token says who asks; nothing of the user who sits at Grafana goes out.
	options.Header = nil
	options.ForwardHTTPHeaders = false
	if c.token != "" {
		options.BasicAuth = nil
	}
	if c.client, err = httpclient.New(options); err != nil {
		c.err = &apiError{
			status:  http.StatusBadRequest,
			message: "The TLS settings of the data source cannot be used: " + err.Error(),
			hint:    "Paste certificates and keys in PEM format, from BEGIN to END",
		}
		return c
	}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

func parseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, &apiError{
			status:  http.StatusBadRequest,
			message: "The data source has no URL",
			hint:    "Set it to where the collector listens, for example http://127.0.0.1:8055",
		}
	}
	base, err := url.Parse(text)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, &apiError{
			status:  http.StatusBadRequest,
			message: fmt.Sprintf("The URL %q cannot be used", text),
			hint:    "Write scheme, host and port, for example http://127.0.0.1:8055",
		}
	}
	base.RawQuery, base.Fragment = "", ""
	return base, nil
}

func (c *collector) close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}

// open sends a request. The answer has status 2xx; who gets it closes its body.
func (c *collector) open(ctx context.Context, method, path, query string, body []byte) (*http.Response, error) {
	if c.err != nil {
		return nil, c.err
	}
	target := c.base.JoinPath(apiPath, path)
	target.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	// Every call only reads: it may be sent again when the collector closes an idle connection at this very moment. Without
	// a value the header is not sent.
	req.Header["Idempotency-Key"] = nil
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, c.transportError(err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer func() { _ = res.Body.Close() }()
		return nil, c.refusal(res)
	}
	if !strings.Contains(res.Header.Get("Content-Type"), "json") {
		_ = res.Body.Close()
		return nil, c.notACollector(res)
	}
	return res, nil
}

// json sends a request and reads the whole answer.
func (c *collector) json(ctx context.Context, method, path, query string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := c.open(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes+1))
	if err != nil {
		return c.transportError(err)
	}
	if len(text) > maxAnswerBytes {
		return &apiError{
			status:  http.StatusRequestEntityTooLarge,
			message: fmt.Sprintf("The answer is longer than %d MiB", maxAnswerBytes>>20),
			hint:    "Ask for fewer rows or series, or for a shorter time",
		}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &apiError{
			status:  http.StatusBadGateway,
			message: "The answer of the collector cannot be read: " + err.Error(),
			hint:    "Check that nothing between Grafana and the collector changes answers",
		}
	}
	return nil
}

// apiError is something that went wrong on the way to the answer, with what to do about it.
type apiError struct {
	// status is the HTTP status for whoever asked, not always the collector's.
	status  int
	code    string
	message string
	hint    string
	cause   error
}

func (e *apiError) Error() string {
	if e.hint == "" {
		return e.message
	}
	return strings.TrimSuffix(e.message, ".") + ". " + e.hint
}

func (e *apiError) Unwrap() error { return e.cause }

// refusal is what the collector, or something before it, says with a status other than 2xx.
func (c *collector) refusal(res *http.Response) error {
	if location := res.Header.Get("Location"); res.StatusCode/100 == 3 && location != "" {
		return &apiError{
			status:  http.StatusBadGateway,
			message: fmt.Sprintf("%s sends on to %s", c.base.Redacted(), location),
			hint:    "Set the URL of the data source to where it leads",
		}
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
	var said struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}
	if json.Unmarshal(text, &said) != nil || said.Code == "" || said.Message == "" {
		return c.notACollector(res)
	}
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		message := "The collector refuses the token"
		if c.token == "" {
			message = "The collector wants a token, and the data source has none"
		}
		// Not 401: with that, Grafana would send the user to its own login.
		return &apiError{
			status:  http.StatusBadRequest,
			code:    said.Code,
			message: message,
			hint:    "Paste the value of http.token of the collector as the token of the data source",
		}
	}
	return &apiError{status: res.StatusCode, code: said.Code, message: said.Message, hint: said.Hint}
}

func (c *collector) notACollector(res *http.Response) error {
	what := res.Header.Get("Content-Type")
	if what == "" {
		what = "nothing"
	}
	return &apiError{
		status:  http.StatusBadGateway,
		code:    "not_a_collector",
		message: fmt.Sprintf("%s is not a Ringflow collector: it answered %d with %s", c.base.Redacted(), res.StatusCode, what),
		hint:    "Set the URL of the data source to the collector's HTTP address, port 8055 unless it was changed",
	}
}

// isCancelled tells whether the one who asked went away.
func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled)
}
