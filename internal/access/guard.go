package access

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// Guard stands before an HTTP handler. The zero value lets nobody through.
type Guard struct {
	Tokens *Tokens
	// Hosts are the values of the Host header that are answered, without port;
	// see HostAllowed. A page of another site that had its name point to us (DNS
	// rebinding) does not know them.
	Hosts []string
	// Origins are the web origins ("https://host:port") whose pages may call.
	// Empty means only pages that come from the service itself.
	Origins []string
	// Open are paths that need no token, such as a health check.
	Open []string
}

// LocalHosts are the names of this machine to itself.
var LocalHosts = []string{"localhost", "127.0.0.1", "::1"}

// HostAllowed reports whether host, a Host or :authority header, is one of
// allowed. Ports and case do not matter; there are no wildcards.
func HostAllowed(host string, allowed []string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	return host != "" && slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, host) })
}

// originAllowed reports whether a page of origin may call a service that was
// called as host.
func (g *Guard) originAllowed(origin, host string) bool {
	if slices.Contains(g.Origins, origin) {
		return true
	}
	_, at, ok := strings.Cut(origin, "://")
	return ok && strings.EqualFold(at, host)
}

// The headers that a page may send and read: those of gRPC-Web and connect.
const (
	allowedHeaders = "Authorization, Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Grpc-Timeout, X-Grpc-Web, X-User-Agent"
	exposedHeaders = "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin"
)

// Wrap returns a handler that answers 421 to a foreign Host, 403 to a foreign
// Origin, 401 without a valid token, and otherwise calls next with the
// Identity in the request's context.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !HostAllowed(r.Host, g.Hosts) {
			http.Error(w, "this host name is not served here", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" {
			if !g.originAllowed(origin, r.Host) {
				http.Error(w, "pages of this origin may not call", http.StatusForbidden)
				return
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", exposedHeaders)
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST")
				h.Set("Access-Control-Allow-Headers", allowedHeaders)
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		if slices.Contains(g.Open, r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if g.Tokens == nil {
			unauthorised(w)
			return
		}
		id, err := g.Tokens.Authenticate(r.Header.Get("Authorization"))
		if err != nil {
			unauthorised(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithIdentity(r.Context(), id)))
	})
}

func unauthorised(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="halsted"`)
	http.Error(w, ErrUnauthenticated.Error(), http.StatusUnauthorized)
}
