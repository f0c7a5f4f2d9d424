package feed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// bearer sends a token with every call.
type bearer struct {
	token  string
	secure bool
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return b.secure }

// A link that died without a word is noticed within pingEvery + pingWait; the
// service allows a ping every 5 s.
const (
	pingEvery = 15 * time.Second
	pingWait  = 10 * time.Second
)

// Dial prepares a connection to a server ("host:port") that sends the token
// with every call; it connects when first used. On the loopback interface the
// link is plain; anywhere else it is TLS with the given configuration (nil: the
// system's roots), because a token must not travel in the clear.
func Dial(server, token string, conf *tls.Config) (*grpc.ClientConn, error) {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return nil, fmt.Errorf("feed: server address %q is not HOST:PORT", server)
	}
	if token == "" {
		return nil, errors.New("feed: the token is empty")
	}
	creds, secure := insecure.NewCredentials(), false
	if ip := net.ParseIP(host); conf != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		if conf == nil {
			conf = &tls.Config{MinVersion: tls.VersionTLS13}
		}
		creds, secure = credentials.NewTLS(conf), true
	}
	return grpc.NewClient("passthrough:///"+server, grpc.WithTransportCredentials(creds), grpc.WithPerRPCCredentials(bearer{token, secure}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingEvery, Timeout: pingWait}))
}

// PlanTitle is the name a surgeon gave the plan of a run.
func PlanTitle(ctx context.Context, conn grpc.ClientConnInterface, run string) (string, error) {
	plan, _, ok := strings.Cut(run, "/runs/")
	if !ok {
		return "", fmt.Errorf("feed: %q is not cases/CASE/plans/PLAN/runs/RUN", run)
	}
	r, err := pb.NewPlanServiceClient(conn).GetPlan(ctx, &pb.GetPlanRequest{Name: plan})
	if err != nil {
		return "", err
	}
	return r.GetPlan().GetDisplayName(), nil
}
