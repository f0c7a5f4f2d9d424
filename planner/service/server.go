package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"halsted/internal/access"
	"halsted/planner/jobs"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"

	"connectrpc.com/vanguard"
	"connectrpc.com/vanguard/vanguardgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Bounds on what one client may ask of the server.
const (
	// MaxRequestBytes is the largest request message (1000 seeds are 100 KB).
	MaxRequestBytes = 1 << 20
	// MaxFrameBytes is the largest message to a gRPC-Web or Connect client;
	// native gRPC clients set their own limit.
	MaxFrameBytes = 64 << 20
	// maxBodyBytes bounds a request body in any protocol: JSON is longer than
	// protobuf.
	maxBodyBytes = 4 * MaxRequestBytes
	maxStreams   = 100 // at once on one connection
)

// Server offers a store and its queue.
type Server struct {
	cfg    Config
	st     *store.Store
	queue  *jobs.Queue
	log    *slog.Logger
	grpc   *grpc.Server
	health *health.Server
	search chan struct{}   // held by the one search for plans
	ctx    context.Context // done when the server stops
	stop   context.CancelCauseFunc
}

var errStopping = errors.New("the service is stopping; call again soon, with the last epoch and seq")

// New makes a server. It starts nothing: serve its Handler, or its GRPC on a
// listener of gRPC alone.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, st: cfg.Store, queue: cfg.Queue, log: cfg.Log, health: health.NewServer(), search: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if len(s.cfg.Hosts) == 0 {
		s.cfg.Hosts = access.LocalHosts
	}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	s.grpc = grpc.NewServer(
		grpc.MaxRecvMsgSize(MaxRequestBytes),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepAlive, Timeout: keepAlive}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(s.unary),
		grpc.ChainStreamInterceptor(s.stream),
	)
	pb.RegisterStudyServiceServer(s.grpc, studies{Server: s})
	pb.RegisterCaseServiceServer(s.grpc, cases{Server: s})
	pb.RegisterPlanServiceServer(s.grpc, plans{Server: s})
	pb.RegisterDecisionServiceServer(s.grpc, decisions{Server: s})
	pb.RegisterRunServiceServer(s.grpc, runs{Server: s})
	pb.RegisterEvaluationServiceServer(s.grpc, evaluations{Server: s})
	pb.RegisterApprovalServiceServer(s.grpc, approvals{Server: s})
	pb.RegisterFrameServiceServer(s.grpc, frames{Server: s})
	healthpb.RegisterHealthServer(s.grpc, s.health)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	return s, nil
}

const (
	keepAlive = 30 * time.Second // a client gone without a word is noticed within twice this
	minPing   = 5 * time.Second
)

// GRPC is the plain gRPC server, with all checks but that of the Host.
func (s *Server) GRPC() *grpc.Server { return s.grpc }

// Handler speaks gRPC (over HTTP/2), gRPC-Web and Connect on one port, behind
// the checks of Host and token.
func (s *Server) Handler() (http.Handler, error) {
	t, err := vanguardgrpc.NewTranscoder(s.grpc, vanguard.WithDefaultServiceOptions(
		vanguard.WithMaxMessageBufferBytes(MaxFrameBytes),
		vanguard.WithNoTargetCompression(),
	))
	if err != nil {
		return nil, fmt.Errorf("service: %w", err)
	}
	return s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxBodyBytes {
			http.Error(w, "the request is too long", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		t.ServeHTTP(w, r)
	})), nil
}

// HTTPServer is a server for Handler that speaks HTTP/1.1 and HTTP/2, without
// TLS too (h2c). The caller serves it on a listener that internal/access
// allows, and shuts it down after Close.
func (s *Server) HTTPServer() (*http.Server, error) {
	h, err := s.Handler()
	if err != nil {
		return nil, err
	}
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: p, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: keepAlive, PingTimeout: keepAlive},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}, nil
}

// Close ends all streams with UNAVAILABLE, so that clients come back, and
// tells health watchers. The store and the queue stay open.
func (s *Server) Close() {
	s.health.Shutdown()
	s.stop(errStopping)
}

// stoppable is ctx that is done also when the server stops.
func (s *Server) stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(s.ctx, func() { cancel(errStopping) })
	return ctx, func() { unhook(); cancel(nil) }
}

// whyDone is the error for a stream whose stoppable context is done.
func (s *Server) whyDone(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errStopping) {
		return status.Error(codes.Unavailable, errStopping.Error())
	}
	return ctx.Err()
}

// unary authorises, runs, records and maps one call.
func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (resp any, err error) {
	defer s.rescue(info.FullMethod, &err)
	ctx, err = s.authorise(ctx, info.FullMethod)
	if err == nil {
		resp, err = h(ctx, req)
	}
	if rerr := s.record(ctx, info.FullMethod, objectOf(req, resp, err), err); rerr != nil {
		return nil, toStatus(s.log, info.FullMethod, rerr)
	}
	return resp, toStatus(s.log, info.FullMethod, err)
}

// stream is unary for streams. A stream that was cut by Close says so, however
// the handler noticed.
func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) (err error) {
	defer s.rescue(info.FullMethod, &err)
	ctx, err := s.authorise(ss.Context(), info.FullMethod)
	k := &knownStream{ServerStream: ss, ctx: ctx}
	if err == nil {
		err = h(srv, k)
	}
	if err != nil && s.ctx.Err() != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		err = status.Error(codes.Unavailable, errStopping.Error())
	}
	if rerr := s.record(ctx, info.FullMethod, k.parent, err); rerr != nil {
		err = rerr
	}
	return toStatus(s.log, info.FullMethod, err)
}

// knownStream is a stream whose caller is known; it notes what the request is
// about.
type knownStream struct {
	grpc.ServerStream
	ctx    context.Context
	parent string
}

func (k *knownStream) Context() context.Context { return k.ctx }

func (k *knownStream) RecvMsg(m any) error {
	err := k.ServerStream.RecvMsg(m)
	if p, ok := m.(interface{ GetParent() string }); ok && err == nil {
		k.parent = p.GetParent()
	}
	return err
}

// rescue turns a panic into an internal error of this one call.
func (s *Server) rescue(method string, err *error) {
	if p := recover(); p != nil {
		s.log.Error("handler panicked", "method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "internal error; the service's log has the details")
	}
}
