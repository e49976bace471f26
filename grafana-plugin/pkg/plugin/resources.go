package plugin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

const (
	// maxRequestBytes is the longest body that is sent on.
	maxRequestBytes = 1 << 20
	// maxLineBytes is the longest line of a tail.
	maxLineBytes = 8 << 20
)

// resources are the paths that the front end may ask for; they read and change nothing. Whoever may see a dashboard may
// call them.
var resources = map[string][]string{
	http.MethodGet:  {"fields", "values", "exporters", "events", "status", "tail"},
	http.MethodPost: {"filter/validate", "filter/complete", "resolve"},
}

// CallResource sends on what the front end asks beside queries.
func (d *Datasource) CallResource(ctx context.Context, req *backend.CallResourceRequest, sender backend.CallResourceResponseSender) error {
	path := strings.Trim(req.Path, "/")
	if !slices.Contains(resources[req.Method], path) {
		return sendError(sender, &apiError{status: http.StatusNotFound, code: "not_found", message: "The data source has no resource " + req.Method + " " + path})
	}
	if len(req.Body) > maxRequestBytes {
		return sendError(sender, &apiError{status: http.StatusRequestEntityTooLarge, code: "body_too_large", message: "The request is too long"})
	}
	query := ""
	if parsed, err := url.Parse(req.URL); err == nil {
		query = parsed.RawQuery
	}
	if path == "tail" {
		return d.tail(ctx, query, sender)
	}
	var answer json.RawMessage
	if err := d.collector.json(ctx, req.Method, path, query, req.Body, &answer); err != nil {
		return sendError(sender, err)
	}
	return sender.Send(&backend.CallResourceResponse{Status: http.StatusOK, Headers: jsonHeaders("application/json"), Body: answer})
}

// tail sends lines on as they come, until the caller goes away.
func (d *Datasource) tail(ctx context.Context, query string, sender backend.CallResourceResponseSender) error {
	res, err := d.collector.open(ctx, http.MethodGet, "tail", query, nil)
	if err != nil {
		return sendError(sender, err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxLineBytes)
	headers := jsonHeaders("application/x-ndjson")
	for lines.Scan() {
		if err := sender.Send(&backend.CallResourceResponse{Status: http.StatusOK, Headers: headers, Body: append(lines.Bytes(), '\n')}); err != nil {
			return err
		}
		// Only the first part has a head.
		headers = nil
	}
	if err := lines.Err(); err != nil && !isCancelled(err) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return d.collector.transportError(err)
	}
	return nil
}

func jsonHeaders(contentType string) map[string][]string {
	return map[string][]string{"Content-Type": {contentType}, "Cache-Control": {"no-store"}}
}

// sendError answers with an error in the collector's own form (contract/api.ts ApiError).
func sendError(sender backend.CallResourceResponseSender, err error) error {
	said := &apiError{status: http.StatusBadGateway, message: err.Error()}
	_ = errors.As(err, &said)
	body, err := json.Marshal(map[string]string{"code": said.code, "message": said.message, "hint": said.hint})
	if err != nil {
		return err
	}
	return sender.Send(&backend.CallResourceResponse{Status: said.status, Headers: jsonHeaders("application/json"), Body: body})
}
