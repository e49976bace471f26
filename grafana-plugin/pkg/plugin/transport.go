package plugin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// transportError says in words why no answer came, and what to do about it.
func (c *collector) transportError(err error) error {
	where := c.base.Redacted()
	wrap := func(status int, message, hint string) error {
		return &apiError{status: status, message: message, hint: hint, cause: err}
	}
	var (
		timeout     net.Error
		name        *net.DNSError
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		invalid     x509.CertificateInvalidError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.Is(err, context.Canceled):
		// The status that proxies use for a caller who went away.
		return wrap(499, "The caller went away", "")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return wrap(http.StatusGatewayTimeout, fmt.Sprintf("The collector at %s did not answer within %s", where, c.timeout),
			"Ask for less or for a shorter time, or raise the timeout of the data source")
	case errors.As(err, &name):
		return wrap(http.StatusBadGateway, fmt.Sprintf("The host %q is not known", name.Name),
			"Check the URL of the data source: its host must be one that Grafana's server can resolve")
	case errors.Is(err, syscall.ECONNREFUSED):
		return wrap(http.StatusBadGateway, "Nothing listens at "+where,
			"Start the collector, or set the URL of the data source to where it listens")
	case errors.As(err, &authority):
		return wrap(http.StatusBadGateway, "The certificate of "+where+" is signed by an authority that Grafana does not know",
			"Paste the certificate of the authority into the TLS settings of the data source")
	case errors.As(err, &host):
		return wrap(http.StatusBadGateway, "The certificate of "+where+" is for another name: "+host.Error(),
			"Set the URL, or the server name in the TLS settings, to a name in the certificate")
	case errors.As(err, &invalid):
		return wrap(http.StatusBadGateway, "The certificate of "+where+" is not valid: "+invalid.Error(),
			"Renew it, and check the clock of Grafana's server")
	case errors.As(err, &certificate):
		return wrap(http.StatusBadGateway, "The certificate of "+where+" cannot be verified: "+certificate.Err.Error(),
			"Paste the certificate of its authority into the TLS settings of the data source")
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return wrap(http.StatusBadGateway, where+" does not speak TLS", "Begin the URL of the data source with http://")
	case strings.Contains(err.Error(), "malformed HTTP response"):
		return wrap(http.StatusBadGateway, where+" does not speak HTTP, or only with TLS",
			"Begin the URL of the data source with https:// if the collector has a certificate")
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return wrap(http.StatusBadGateway, where+" ended the TLS handshake: "+lastPart(err),
			"Set client certificate and key in the TLS settings of the data source, if the collector asks for one")
	default:
		return wrap(http.StatusBadGateway, "The connection to "+where+" failed: "+lastPart(err),
			"Check that the collector runs, and what is between it and Grafana")
	}
}

// lastPart is the innermost text of an error: the ones around it repeat the URL.
func lastPart(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}
