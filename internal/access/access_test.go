package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentityIsNotPrinted tries every way a subject could slip into a log.
func TestIdentityIsNotPrinted(t *testing.T) {
	id := Identity{Subject: "dr.secret", Role: Surgeon, Person: "Dr. Secret"}
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("call", "who", id, "list", []Identity{id})
	}
	fmt.Fprintf(&b, "%v %+v %#v %s %q %v %+v", id, id, id, id, id, &id, []Identity{id})
	if err := json.NewEncoder(&b).Encode(map[string]any{"one": id, "list": []Identity{id}, "at": &id}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Contains(strings.ToLower(text), "secret") {
		t.Errorf("subject or name in %s", text)
	}
	if !strings.Contains(text, "surgeon") {
		t.Errorf("no role in %s", text)
	}
}

// TestRoles states the table's rules that must hold whatever else changes.
func TestRoles(t *testing.T) {
	actions := []Action{Read, Import, Edit, Run, Approve, Export, Erase, Audit, Administer}
	who := map[Action][]Role{}
	for role := range may {
		for _, a := range actions {
			if role.May(a) {
				who[a] = append(who[a], role)
			}
		}
		if role.May("fly") || role.May("") {
			t.Errorf("%s may do anything", role)
		}
	}
	for _, a := range []Action{Approve, Erase, Audit, Administer} {
		if len(who[a]) != 1 {
			t.Errorf("%s is allowed to %v, want one role", a, who[a])
		}
	}
	if who[Approve][0] != Surgeon || Admin.May(Approve) {
		t.Errorf("plans are approved by %v", who[Approve])
	}
	for _, a := range actions {
		if len(who[a]) == 0 {
			t.Errorf("nobody may %s", a)
		}
		if Role("stranger").May(a) || Role("").May(a) {
			t.Errorf("an unknown role may %s", a)
		}
		if a != Read && Viewer.May(a) || a != Import && Archive.May(a) {
			t.Errorf("viewer or archive may %s", a)
		}
	}
}

func TestRequire(t *testing.T) {
	if err := Require(context.Background(), Read); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	ctx := WithIdentity(context.Background(), Identity{Subject: "x", Role: Viewer})
	if err := Require(ctx, Read); err != nil {
		t.Error(err)
	}
	denied, ok := errors.AsType[*DeniedError](Require(ctx, Erase))
	if !ok || denied.Role != Viewer || denied.Action != Erase {
		t.Errorf("denied %v", denied)
	}
}

// A machine may not do what is for people, whatever its role; a person may
// only what their role may.
func TestRequirePerson(t *testing.T) {
	if _, err := RequirePerson(context.Background(), Approve); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	for id, want := range map[Identity]bool{
		{Subject: "s", Role: Surgeon, Person: "Ada Weiss"}: true,
		{Subject: "s", Role: Surgeon}:                      false,
		{Subject: "local", Role: Admin}:                    false,
		{Subject: "p", Role: Planner, Person: "Bo Lind"}:   false,
		{Subject: "a", Role: Admin, Person: "Cy Root"}:     false,
		{Person: "Ada Weiss"}:                              false,
	} {
		got, err := RequirePerson(WithIdentity(context.Background(), id), Approve)
		denied, isDenied := errors.AsType[*DeniedError](err)
		switch {
		case want && (err != nil || got != id):
			t.Errorf("%#v: %v", id, err)
		case !want && id.Role == Surgeon && !errors.Is(err, ErrNoPerson),
			!want && id.Role != Surgeon && (!isDenied || denied.Role != id.Role):
			t.Errorf("%s: %v", id.Role, err)
		case !want && got != (Identity{}):
			t.Errorf("%s: refused, and returned", id.Role)
		}
	}
}

func TestIdentitiesAreChecked(t *testing.T) {
	good := Identity{Subject: "s", Role: Surgeon, Person: "Доктор Вайс"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{" ", "a\x1b[2J", "a\nb", "\xff", strings.Repeat("a", maxPerson+1)} {
		bad := good
		bad.Person = name
		if err := (&Tokens{}).Issue(filepath.Join(t.TempDir(), "token"), bad); err == nil || strings.Contains(err.Error(), "Вайс") {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestTokens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "keys")
	var tokens Tokens
	ids := []Identity{{Subject: "a", Role: Viewer, Person: "Al Bo"}, {Subject: "b", Role: Admin}}
	var secrets []string
	for i, id := range ids {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := tokens.Issue(path, id); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("token file: %v, %v", info.Mode(), err)
		}
		s, err := ReadToken(path)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("token folder: %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("folder holds %v", left)
	}
	if secrets[0] == secrets[1] {
		t.Error("two tokens are the same")
	}
	for i, s := range secrets {
		for _, h := range []string{"Bearer " + s, "bearer  " + s + " "} {
			if id, err := tokens.Authenticate(h); err != nil || id != ids[i] {
				t.Errorf("token %d belongs to %v, %v", i, id, err)
			}
		}
	}
	s := secrets[0]
	for _, h := range []string{"", "Bearer", "Bearer ", s, "Basic " + s, "Bearer " + s[:42], "Bearer " + s + "A",
		"Bearer " + strings.ToUpper(s), "Bearer " + strings.Repeat("A", 1<<20)} {
		if id, err := tokens.Authenticate(h); !errors.Is(err, ErrUnauthenticated) || id != (Identity{}) {
			t.Errorf("%.60q: %v, %v", h, id, err)
		}
	}
	var empty Tokens
	if _, err := empty.Authenticate("Bearer " + s); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("no tokens issued: %v", err)
	}
	if err := tokens.Issue(filepath.Join(dir, "x"), Identity{Subject: "x", Role: "chief"}); err == nil {
		t.Error("token for an unknown role")
	}
	// A token file that others can read is refused, and one without a token.
	path := filepath.Join(dir, "0")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadToken(path); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("readable by others: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "1"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadToken(filepath.Join(dir, "1")); err == nil {
		t.Error("a file without a token was read")
	}
}

// TestIssueReplaces checks that a restart replaces the file in one step.
func TestIssueReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	var tokens Tokens
	if err := tokens.Issue(path, Identity{Subject: "x", Role: Viewer}); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadToken(path); err != nil {
		t.Error(err)
	}
	blocked := filepath.Join(path, "under-a-file")
	if err := tokens.Issue(blocked, Identity{Subject: "x", Role: Viewer}); err == nil {
		t.Error("a token was issued without a file")
	}
}

func TestListen(t *testing.T) {
	cert := tls.Certificate{Certificate: [][]byte{{1}}}
	secure := &tls.Config{Certificates: []tls.Certificate{cert}}
	anyone := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert}
	mutual := anyone.Clone()
	mutual.ClientCAs = x509.NewCertPool()
	for name, c := range map[string]struct {
		addr  string
		p     Policy
		lacks string // "" = opens
	}{
		"loopback":            {"127.0.0.1:0", Policy{}, ""},
		"loopback with TLS":   {"localhost:0", Policy{TLS: secure}, ""},
		"all, plain":          {":0", Policy{Authenticated: true}, "TLS"},
		"all, IPv4":           {"0.0.0.0:0", Policy{}, "TLS"},
		"all, IPv6":           {"[::]:0", Policy{}, "TLS"},
		"all, no auth":        {":0", Policy{TLS: secure}, "authentication"},
		"all, TLS and auth":   {":0", Policy{TLS: secure, Authenticated: true}, ""},
		"all, client certs":   {":0", Policy{TLS: mutual}, ""},
		"all, any authority":  {":0", Policy{TLS: anyone}, "authentication"},
		"another, plain":      {"192.0.2.7:0", Policy{}, "TLS"},
		"IPv4 in IPv6 is all": {"[::ffff:0.0.0.0]:0", Policy{}, "TLS"},
	} {
		ln, err := Listen(c.addr, c.p)
		if err == nil {
			ln.Close()
		}
		unsafe, refused := errors.AsType[*UnsafeError](err)
		if refused != (c.lacks != "") || refused && unsafe.Lacks != c.lacks || !refused && err != nil {
			t.Errorf("%s: %v, want a lack of %q", name, err, c.lacks)
		}
	}
	if _, err := Listen("127.0.0.1:0", Policy{TLS: &tls.Config{MaxVersion: tls.VersionTLS11}}); err == nil {
		t.Error("TLS 1.1 was offered")
	}
}

// TestListenTLS checks what a client gets to see: HTTP/2, and not TLS 1.1.
func TestListenTLS(t *testing.T) {
	pair := httptest.NewTLSServer(nil)
	defer pair.Close()
	ln, err := Listen("127.0.0.1:0", Policy{TLS: &tls.Config{Certificates: pair.TLS.Certificates, MinVersion: tls.VersionTLS10}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10,
			MaxVersion: version, NextProtos: []string{"h2"}})
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			if p := c.ConnectionState().NegotiatedProtocol; p != "h2" {
				t.Errorf("protocol %q", p)
			}
			c.Close()
		}
	}
}

func TestHostAllowed(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8080": true, "127.0.0.1:1": true, "[::1]:443": true, "::1": true, "localhost.": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false, "[::2]:1": false, ":80": false,
	} {
		if HostAllowed(host, LocalHosts) != want {
			t.Errorf("HostAllowed(%q) = %v", host, !want)
		}
	}
	if HostAllowed("localhost", nil) {
		t.Error("an empty list allows a host")
	}
}

func TestGuard(t *testing.T) {
	var tokens Tokens
	path := filepath.Join(t.TempDir(), "token")
	if err := tokens.Issue(path, Identity{Subject: "x", Role: Planner}); err != nil {
		t.Fatal(err)
	}
	secret, err := ReadToken(path)
	if err != nil {
		t.Fatal(err)
	}
	g := &Guard{Tokens: &tokens, Hosts: LocalHosts, Origins: []string{"https://viewer.example"}, Open: []string{"/healthz"}}
	handler := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := From(r.Context())
		fmt.Fprint(w, id.Role)
	}))
	for _, c := range []struct {
		name, method, host, path, token, origin string
		status                                  int
		body                                    string
	}{
		{"good", "POST", "localhost:1", "/x", secret, "", 200, "planner"},
		{"own page", "POST", "localhost:1", "/x", secret, "http://localhost:1", 200, "planner"},
		{"listed page", "POST", "localhost:1", "/x", secret, "https://viewer.example", 200, "planner"},
		{"health", "GET", "localhost:1", "/healthz", "", "", 200, ""},
		{"no token", "POST", "localhost:1", "/x", "", "", 401, ""},
		{"wrong token", "POST", "localhost:1", "/x", secret[1:] + "A", "", 401, ""},
		{"below health", "GET", "localhost:1", "/healthz/../x", "", "", 401, ""},
		{"foreign host", "POST", "evil.example", "/x", secret, "", 421, ""},
		{"foreign host, health", "GET", "evil.example", "/healthz", "", "", 421, ""},
		{"foreign page", "POST", "localhost:1", "/x", secret, "https://evil.example", 403, ""},
		{"null page", "POST", "localhost:1", "/x", secret, "null", 403, ""},
		{"other port's page", "POST", "localhost:1", "/x", secret, "http://localhost:2", 403, ""},
	} {
		r := httptest.NewRequest(c.method, "http://"+c.host+c.path, nil)
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status || c.status == 200 && w.Body.String() != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.name, w.Code, w.Body, c.status, c.body)
		}
		allow := w.Header().Get("Access-Control-Allow-Origin")
		if allow == "*" || allow != "" && (allow != c.origin || w.Code == 403) {
			t.Errorf("%s: pages of %q may read the answer", c.name, allow)
		}
	}
	// A browser asks first, without a token.
	pre := httptest.NewRequest("OPTIONS", "http://localhost:1/x", nil)
	pre.Header.Set("Origin", "https://viewer.example")
	pre.Header.Set("Access-Control-Request-Method", "POST")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, pre)
	if w.Code != http.StatusNoContent || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
	// The zero value lets nobody through.
	w = httptest.NewRecorder()
	(&Guard{}).Wrap(handler).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("zero Guard: %d", w.Code)
	}
}
