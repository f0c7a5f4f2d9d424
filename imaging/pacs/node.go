package pacs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultAETitle is our name where none is given.
const DefaultAETitle = "HALSTED"

// DefaultAddress is where a node listens: the port registered for DICOM on
// this machine only.
const DefaultAddress = "127.0.0.1:11112"

// Limits of PDU lengths. Below minPDU a message would fall to dust; peers that
// announce no limit get at most ownPDU.
const (
	minPDU     = 128
	defaultPDU = 128 << 10
	ownPDU     = 256 << 10
	topPDU     = 1 << 20
)

// Config sets up a Node. The zero value is a node HALSTED on 127.0.0.1:11112
// that any local sender may use.
type Config struct {
	AETitle string // what callers must call us; "" = DefaultAETitle
	Address string // host:port to listen on; "" = DefaultAddress

	// Callers, if not empty, are the only peers that may associate.
	Callers []Caller

	// TLS, if set, is used for every connection, at least version 1.2. Off
	// loopback it must demand and verify client certificates.
	TLS *tls.Config
	// AllowPlain lets the node listen off loopback without TLS; then every
	// caller must be listed with its addresses.
	AllowPlain bool

	MaxAssociations int           // at once; 0 = 32
	MaxConnections  int           // at once, waiting ones included; 0 = 256
	MaxPDU          uint32        // largest P-DATA-TF taken, 4096 to 1048576; 0 = 131072
	MaxObject       int64         // largest data set, bytes; 0 = 8 GiB
	RequestTimeout  time.Duration // from connection to complete request; 0 = 10 s
	IdleTimeout     time.Duration // between two messages; 0 = 60 s
	SlowTimeout     time.Duration // waiting for 16 KiB in a message; 0 = 30 s

	Log *slog.Logger // nil = none
}

// Caller is a peer that may associate.
type Caller struct {
	AETitle string
	Addrs   []netip.Prefix // where it may come from; empty = anywhere
}

// Validate reports the first field that makes no sense, or that would open the
// node to the network without protection.
func (c Config) Validate() error {
	c = c.withDefaults()
	if !ValidAETitle(c.AETitle) {
		return fmt.Errorf("pacs: Config.AETitle %q is not an AE title (1 to 16 printable characters)", c.AETitle)
	}
	for _, p := range c.Callers {
		if !ValidAETitle(p.AETitle) {
			return fmt.Errorf("pacs: Config.Callers: %q is not an AE title", p.AETitle)
		}
		if slices.ContainsFunc(p.Addrs, func(a netip.Prefix) bool { return !a.IsValid() }) {
			return fmt.Errorf("pacs: Config.Callers: invalid address of %s", p.AETitle)
		}
	}
	if c.MaxPDU < 4096 || c.MaxPDU > topPDU {
		return fmt.Errorf("pacs: Config.MaxPDU %d is not in 4096..%d", c.MaxPDU, topPDU)
	}
	if c.MaxAssociations < 1 || c.MaxConnections < c.MaxAssociations || c.MaxObject < 1 {
		return errors.New("pacs: Config: MaxAssociations and MaxObject must be positive, MaxConnections not below MaxAssociations")
	}
	if c.RequestTimeout <= 0 || c.IdleTimeout <= 0 || c.SlowTimeout <= 0 {
		return errors.New("pacs: Config: timeouts must be positive")
	}
	if c.TLS != nil && c.TLS.MaxVersion != 0 && c.TLS.MaxVersion < tls.VersionTLS12 {
		return errors.New("pacs: Config.TLS: MaxVersion is below TLS 1.2")
	}
	addr, err := net.ResolveTCPAddr("tcp", c.Address)
	if err != nil {
		return fmt.Errorf("pacs: Config.Address: %w", err)
	}
	return c.mayListen(addr)
}

// mayListen holds the rule of the package comment on where to listen.
func (c Config) mayListen(addr net.Addr) error {
	if t, ok := addr.(*net.TCPAddr); ok && t.IP.IsLoopback() {
		return nil
	}
	// Without ClientCAs any certificate of a public authority would do.
	if c.TLS != nil && c.TLS.ClientAuth == tls.RequireAndVerifyClientCert && c.TLS.ClientCAs != nil {
		return nil
	}
	if !c.AllowPlain {
		return fmt.Errorf("pacs: refusing to listen on %v, which is not loopback: set TLS with RequireAndVerifyClientCert and ClientCAs, "+
			"or AllowPlain with a list of callers and their addresses", addr)
	}
	if len(c.Callers) == 0 || slices.ContainsFunc(c.Callers, func(p Caller) bool { return len(p.Addrs) == 0 }) {
		return fmt.Errorf("pacs: refusing to listen on %v: AllowPlain wants Callers, each with its addresses", addr)
	}
	return nil
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if c.AETitle == "" {
		c.AETitle = DefaultAETitle
	}
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if c.MaxAssociations == 0 {
		c.MaxAssociations = 32
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = max(256, c.MaxAssociations)
	}
	if c.MaxPDU == 0 {
		c.MaxPDU = defaultPDU
	}
	if c.MaxObject == 0 {
		c.MaxObject = 8 << 30
	}
	def(&c.RequestTimeout, 10*time.Second)
	def(&c.IdleTimeout, time.Minute)
	def(&c.SlowTimeout, 30*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// knows reports whether a peer may associate.
func (c Config) knows(calling string, from netip.Addr) bool {
	if len(c.Callers) == 0 {
		return true
	}
	return slices.ContainsFunc(c.Callers, func(p Caller) bool {
		return p.AETitle == calling && (len(p.Addrs) == 0 ||
			slices.ContainsFunc(p.Addrs, func(a netip.Prefix) bool { return a.Contains(from) }))
	})
}

// maxTurnedAway is how many connections above MaxConnections are told so
// politely; the next ones are just closed.
const maxTurnedAway = 32

// Node is a DICOM application entity that takes images: a C-ECHO and C-STORE
// service class provider. Make one with New.
type Node struct {
	cfg  Config
	sink Sink

	ctx      context.Context // of all associations; ends when Shutdown loses patience
	cancel   context.CancelFunc
	draining atomic.Bool
	wg       sync.WaitGroup // one per connection

	mu        sync.Mutex // guards the rest
	listeners map[net.Listener]struct{}
	links     map[*link]struct{}
	standing  int // associations
}

// New returns a node that hands what it receives to sink.
func New(cfg Config, sink Sink) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg.withDefaults(), sink: sink, listeners: map[net.Listener]struct{}{}, links: map[*link]struct{}{}}
	if n.cfg.TLS != nil {
		n.cfg.TLS = n.cfg.TLS.Clone()
		n.cfg.TLS.MinVersion = max(n.cfg.TLS.MinVersion, tls.VersionTLS12)
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n, nil
}

// Listen opens the configured address. Port 0 takes a free port: ask the
// listener.
func (n *Node) Listen() (net.Listener, error) {
	addr, err := net.ResolveTCPAddr("tcp", n.cfg.Address)
	if err != nil {
		return nil, err
	}
	if err := n.cfg.mayListen(addr); err != nil {
		return nil, err
	}
	return net.ListenTCP("tcp", addr)
}

// ListenAndServe is Listen and Serve.
func (n *Node) ListenAndServe() error {
	ln, err := n.Listen()
	if err != nil {
		return err
	}
	return n.Serve(ln)
}

// Serve accepts connections until Shutdown, after which it returns
// ErrNodeClosed, or until the listener fails. It closes ln.
func (n *Node) Serve(ln net.Listener) error {
	defer ln.Close()
	if err := n.cfg.mayListen(ln.Addr()); err != nil {
		return err
	}
	n.mu.Lock()
	if n.draining.Load() {
		n.mu.Unlock()
		return ErrNodeClosed
	}
	n.listeners[ln] = struct{}{}
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.listeners, ln)
		n.mu.Unlock()
	}()
	level, plain := slog.LevelInfo, n.cfg.TLS == nil
	if t, ok := ln.Addr().(*net.TCPAddr); plain && (!ok || !t.IP.IsLoopback()) {
		level = slog.LevelWarn
	}
	n.cfg.Log.Log(n.ctx, level, "DICOM node listens", "ae_title", n.cfg.AETitle, "address", ln.Addr().String(), "plain", plain)
	for pause := time.Duration(0); ; {
		conn, err := ln.Accept()
		if err != nil {
			if n.draining.Load() {
				return ErrNodeClosed
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			// Out of descriptors, or a connection that died in the queue: others
			// must still be served, so wait a little and go on.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			n.cfg.Log.Warn("accept failed", "reason", err.Error())
			select {
			case <-time.After(pause):
				continue
			case <-n.ctx.Done():
				return ErrNodeClosed
			}
		}
		pause = 0
		n.accept(conn)
	}
}

// accept starts serving a connection, unless there are too many.
func (n *Node) accept(conn net.Conn) {
	raw := conn
	if n.cfg.TLS != nil {
		conn = tls.Server(conn, n.cfg.TLS)
	}
	l := newLink(conn, n.cfg.MaxPDU, n.cfg.SlowTimeout, n.cfg.SlowTimeout)
	n.mu.Lock()
	full := len(n.links) >= n.cfg.MaxConnections
	if n.draining.Load() || len(n.links) >= n.cfg.MaxConnections+maxTurnedAway {
		n.mu.Unlock()
		_ = raw.Close()
		return
	}
	n.links[l] = struct{}{}
	n.wg.Add(1)
	n.mu.Unlock()
	go func() {
		defer n.wg.Done()
		defer func() {
			n.mu.Lock()
			delete(n.links, l)
			n.mu.Unlock()
			_ = raw.Close()
		}()
		if full {
			if n.cfg.TLS == nil {
				_ = l.send(appendReject(nil, rejectLimit))
				l.linger()
			}
			return
		}
		a := &association{node: n, link: l, remote: remoteOf(raw)}
		a.log = n.cfg.Log.With("remote", a.remote.String())
		defer a.guard()
		a.run(n.ctx, conn)
	}()
}

func remoteOf(c net.Conn) netip.AddrPort {
	t, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// enter takes a place for an association, leave gives it back.
func (n *Node) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.standing >= n.cfg.MaxAssociations {
		return false
	}
	n.standing++
	return true
}

func (n *Node) leave() {
	n.mu.Lock()
	n.standing--
	n.mu.Unlock()
}

// drainIdle is how long an association may pause between two messages while
// the node shuts down.
const drainIdle = time.Second

// forceTime is how long Shutdown waits for associations it has cut off.
const forceTime = 5 * time.Second

func (n *Node) idle() time.Duration {
	if n.draining.Load() {
		return min(drainIdle, n.cfg.IdleTimeout)
	}
	return n.cfg.IdleTimeout
}

// Shutdown stops listening and lets running associations come to their end;
// one that pauses for a second is aborted. When ctx ends first, all are cut
// off and ctx's error is returned. No goroutine of the node is left afterwards,
// unless its sink hangs.
func (n *Node) Shutdown(ctx context.Context) error {
	n.draining.Store(true)
	n.mu.Lock()
	for ln := range n.listeners {
		_ = ln.Close()
	}
	for l := range n.links {
		l.rush(time.Now().Add(drainIdle))
	}
	n.mu.Unlock()
	done := make(chan struct{})
	go func() { n.wg.Wait(); close(done) }()
	defer n.cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	n.cancel()
	n.mu.Lock()
	for l := range n.links {
		l.force()
	}
	n.mu.Unlock()
	select {
	case <-done:
	case <-time.After(forceTime):
		return errors.Join(ctx.Err(), errors.New("pacs: a sink did not return"))
	}
	return ctx.Err()
}
