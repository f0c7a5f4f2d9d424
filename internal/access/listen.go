package access

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// Policy says how a listener is protected.
type Policy struct {
	// TLS, if set, is used for every connection, at least version 1.2.
	TLS *tls.Config
	// Authenticated says that every request behind the listener is checked: by
	// a Guard, by interceptors, or by client certificates.
	Authenticated bool
}

// UnsafeError is a refusal to listen.
type UnsafeError struct{ Addr, Lacks string }

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("refusing to listen on %s, which is not loopback, without %s: use 127.0.0.1 or set it up", e.Addr, e.Lacks)
}

// Listen opens a TCP address. Off loopback it wants TLS and authentication,
// else it returns an *UnsafeError before anything is opened. With TLS the
// listener negotiates HTTP/2, unless p.TLS says otherwise.
func Listen(addr string, p Policy) (net.Listener, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if p.TLS != nil && p.TLS.MaxVersion != 0 && p.TLS.MaxVersion < tls.VersionTLS12 {
		return nil, errors.New("listen: TLS below version 1.2 is not offered")
	}
	if !a.IP.IsLoopback() {
		switch {
		case p.TLS == nil:
			return nil, &UnsafeError{addr, "TLS"}
		case !p.Authenticated && (p.TLS.ClientAuth != tls.RequireAndVerifyClientCert || p.TLS.ClientCAs == nil):
			return nil, &UnsafeError{addr, "authentication"}
		}
	}
	ln, err := net.ListenTCP("tcp", a)
	if err != nil {
		return nil, err
	}
	if p.TLS == nil {
		return ln, nil
	}
	cfg := p.TLS.Clone()
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	if len(cfg.NextProtos) == 0 {
		cfg.NextProtos = []string{"h2", "http/1.1"}
	}
	return tls.NewListener(ln, cfg), nil
}
