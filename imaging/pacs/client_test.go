package pacs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// peer answers one connection with a script: it reads one PDU, then does the
// next step.
func peer(t *testing.T, steps ...func(net.Conn)) string {
	t.Helper()
	ln := newListener(t)
	t.Cleanup(func() { ln.Close() })
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		var h [6]byte
		for _, step := range steps {
			if _, err := io.ReadFull(c, h[:]); err != nil {
				return
			}
			n := int64(h[2])<<24 | int64(h[3])<<16 | int64(h[4])<<8 | int64(h[5])
			io.CopyN(io.Discard, c, n)
			step(c)
		}
		io.Copy(io.Discard, c)
	}()
	return ln.Addr().String()
}

func say(b []byte) func(net.Conn) { return func(c net.Conn) { c.Write(b) } }

// TestBadPeers gives Echo every kind of bad answer: it names each and returns.
func TestBadPeers(t *testing.T) {
	ac := &associateAC{contexts: []answer{{1, 0, ImplicitVRLittleEndian}}, user: userInfo{maxPDU: 16384}}
	foreign := &associateAC{contexts: []answer{{9, 0, ImplicitVRLittleEndian}}}
	none := &associateAC{contexts: []answer{{1, 3, ""}}}
	reply := func(c command) func(net.Conn) { return say(fragmentPDU(1, 3, c.append(nil))) }
	for name, c := range map[string]struct {
		steps []func(net.Conn)
		want  string
	}{
		"reject":              {[]func(net.Conn){say(appendReject(nil, rejectCalledAE))}, "(1/1/7)"},
		"abort":               {[]func(net.Conn){say(appendAbort(nil, 2, 1))}, "aborted"},
		"close":               {[]func(net.Conn){func(c net.Conn) { c.Close() }}, "closed the connection"},
		"garbage":             {[]func(net.Conn){say([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))}, "unknown PDU type"},
		"huge answer":         {[]func(net.Conn){say(pduOf(2, 0xffffffff))}, "limit"},
		"silence":             {[]func(net.Conn){func(net.Conn) {}}, "did not answer in time"},
		"foreign context":     {[]func(net.Conn){say(foreign.append(nil))}, "not proposed"},
		"no verification":     {[]func(net.Conn){say(none.append(nil))}, "does not offer"},
		"silence later":       {[]func(net.Conn){say(ac.append(nil)), func(net.Conn) {}}, "did not answer in time"},
		"abort later":         {[]func(net.Conn){say(ac.append(nil)), say(appendAbort(nil, 0, 0))}, "aborted"},
		"status":              {[]func(net.Conn){say(ac.append(nil)), reply(command{field: 0x8030, respondedTo: 1, status: 0x0110})}, "0110"},
		"answer to another":   {[]func(net.Conn){say(ac.append(nil)), reply(command{field: 0x8030, respondedTo: 2})}, "in place of"},
		"request for answer":  {[]func(net.Conn){say(ac.append(nil)), reply(command{field: 0x0030, messageID: 1})}, "in place of"},
		"release for answer":  {[]func(net.Conn){say(ac.append(nil)), say(appendRelease(nil, pduReleaseRQ))}, "in place of"},
		"PDU above our limit": {[]func(net.Conn){say(ac.append(nil)), say(pduOf(4, defaultPDU+1))}, "announced limit"},
	} {
		t.Run(name, func(t *testing.T) {
			patience := 5 * time.Second
			if strings.HasPrefix(name, "silence") {
				patience = 200 * time.Millisecond
			}
			err := Echo(context.Background(), peer(t, c.steps...), AE{Timeout: patience})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestStoreAbortedHalfWay sends to a peer that aborts after the first file:
// the first is stored, the second failed, the third was not sent.
func TestStoreAbortedHalfWay(t *testing.T) {
	r := start(t, Config{})
	var sent int
	dir, _ := OpenDir(filepath.Join(t.TempDir(), "other"), nil)
	defer dir.Close()
	second := &rig{path: t.TempDir(), log: &syncBuffer{}}
	second.serve(t, Config{}, sinkFunc(func(ctx context.Context, in Instance, data io.Reader) (Stored, error) {
		if sent++; sent == 2 {
			panic("now")
		}
		return dir.Store(ctx, in, data)
	}))
	files := writeSeries(t, t.TempDir(), "1.2.3.4.40", 3, 64)
	results, err := Store(context.Background(), second.addr, storeAE, files, nil)
	if _, ok := errors.AsType[*AbortError](err); !ok {
		t.Errorf("error %v, want an abort", err)
	}
	if results[0].Err != nil || results[1].Err == nil || !errors.Is(results[2].Err, ErrNotSent) {
		t.Errorf("results %+v", results)
	}
	r.alive(t)
}

type sinkFunc func(context.Context, Instance, io.Reader) (Stored, error)

func (f sinkFunc) Store(ctx context.Context, in Instance, data io.Reader) (Stored, error) {
	return f(ctx, in, data)
}
func (sinkFunc) Done(context.Context, Arrival) {}

// TestStoreCancel cancels a transfer to a peer that stopped reading, and one
// in the middle: Store returns the context's error and the node keeps no half
// file.
func TestStoreCancel(t *testing.T) {
	files := writeSeries(t, t.TempDir(), "1.2.3.4.41", 50, 256)
	t.Run("stuck peer", func(t *testing.T) {
		ac := &associateAC{contexts: []answer{{1, 0, ExplicitVRLittleEndian}}}
		ctx, cancel := context.WithCancel(context.Background())
		addr := peer(t, func(c net.Conn) {
			c.Write(ac.append(nil))
			c.(*net.TCPConn).SetReadBuffer(1024)
			time.AfterFunc(50*time.Millisecond, cancel)
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond)
		})
		results, err := Store(ctx, addr, AE{}, files, nil)
		if !errors.Is(err, context.Canceled) || results[len(results)-1].Err == nil {
			t.Errorf("error %v", err)
		}
	})
	t.Run("half-way", func(t *testing.T) {
		r := start(t, Config{})
		ctx, cancel := context.WithCancel(context.Background())
		_, err := Store(ctx, r.addr, storeAE, files, func(done float64) {
			if done > 0.3 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if a := r.wait(t); a.Released || a.Count() == 0 || a.Count() >= len(files) {
			t.Errorf("arrival of %d, released %v", a.Count(), a.Released)
		}
		for _, name := range received(t, r.path) {
			if strings.Contains(name, incoming) {
				t.Errorf("%s was left behind", name)
			}
		}
	})
}

// TestStoreBadFiles sends good files among bad ones.
func TestStoreBadFiles(t *testing.T) {
	r := start(t, Config{})
	dir := t.TempDir()
	files := writeSeries(t, dir, "1.2.3.4.42", 2, 64)
	good, _ := os.ReadFile(files[0])
	bad := map[string][]byte{
		"text.txt":   []byte("not DICOM"),
		"empty":      nil,
		"cut.dcm":    good[:150],
		"nodata.dcm": Instance{SOPClassUID: ctClass, SOPInstanceUID: "1.2", TransferSyntax: ExplicitVRLittleEndian}.Header(),
	}
	list := []string{filepath.Join(dir, "absent.dcm")}
	for name, b := range bad {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		list = append(list, filepath.Join(dir, name))
	}
	list = append(list, files...)
	results, err := Store(context.Background(), r.addr, storeAE, list, nil)
	incomplete, ok := errors.AsType[*IncompleteError](err)
	if !ok || incomplete.Failed != 5 || incomplete.Total != 7 || incomplete.File != "absent.dcm" {
		t.Errorf("error %v", err)
	}
	for i, res := range results {
		if (res.Err == nil) != (i >= 5) {
			t.Errorf("%s: %v", filepath.Base(res.File), res.Err)
		}
	}
	sameFiles(t, r, files)

	found, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 { // the two slices, and two that begin like DICOM
		t.Errorf("Files found %v", found)
	}
}

// authority makes certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	n    int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool(), n: 1}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.n++
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(a.n), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// pemFiles writes a certificate and its key for dcmtk.
func pemFiles(t *testing.T, c tls.Certificate) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", c.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

// TestTLS checks who gets through: only callers with a certificate of our
// authority and TLS 1.2 or later.
func TestTLS(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	r := start(t, Config{TLS: &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "node")},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool}})
	client := func(cert ...tls.Certificate) *tls.Config { return &tls.Config{RootCAs: ours.pool, Certificates: cert} }
	ae := storeAE
	ae.TLS = client(ours.issue(t, "sender"))
	files := writeSeries(t, t.TempDir(), "1.2.3.4.50", 5, 256)
	if _, err := Store(context.Background(), r.addr, ae, files, nil); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, r, files)

	cert, key := pemFiles(t, ours.issue(t, "dcmtk"))
	ca, _ := pemFiles(t, tls.Certificate{Certificate: [][]byte{ours.cert.Raw}, PrivateKey: ours.key})
	mustTool(t, "echoscu", "+tls", key, cert, "+cf", ca, "-aec", "HALSTED", "127.0.0.1", r.port)

	for name, cfg := range map[string]*tls.Config{
		"no certificate":    client(),
		"foreign authority": client(other.issue(t, "sender")),
		"foreign node":      {RootCAs: other.pool, Certificates: []tls.Certificate{ours.issue(t, "sender")}},
		"plain":             nil,
	} {
		ae.TLS = cfg
		if err := Echo(context.Background(), r.addr, ae); err == nil {
			t.Errorf("%s: got through", name)
		}
	}
	// A client that can do no better than TLS 1.1, which a lax server would take.
	old := client(ours.issue(t, "old"))
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	lax, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "lax")}, MinVersion: tls.VersionTLS10})
	if err != nil {
		t.Fatal(err)
	}
	defer lax.Close()
	go func() {
		c, err := lax.Accept()
		if err == nil {
			c.Write([]byte("x"))
			c.Close()
		}
	}()
	c, err := tls.Dial("tcp", lax.Addr().String(), old)
	if err != nil {
		t.Fatalf("the control server refuses TLS 1.1 too, so this test proves nothing: %v", err)
	}
	c.Close()
	if c, err := tls.Dial("tcp", r.addr, old); err == nil {
		c.Close()
		t.Error("TLS 1.1 got through")
	}
	if err := (Config{TLS: &tls.Config{MaxVersion: tls.VersionTLS11}}).Validate(); err == nil {
		t.Error("a configuration with TLS 1.1 only was accepted")
	}
	if !bytes.Contains([]byte(r.log.String()), []byte("TLS handshake")) {
		t.Errorf("log does not name the failed handshakes:\n%s", r.log)
	}
}
