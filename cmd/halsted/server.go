package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"halsted/imaging/pacs"
	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/service"
	"halsted/planner/store"
)

// serverConfig says where a server keeps its data and listens.
type serverConfig struct {
	data      string // folder of catalogue, blobs, token, trail, received files
	api       string // host:port of gRPC, gRPC-Web and Connect
	dicom     string // host:port of the DICOM node
	aeTitle   string
	tokenFile string // "" = data/token
	surgeon   string // name of the person who may approve plans; "" = nobody
	log       *slog.Logger
	// studied, if set, is told what became of each received series.
	studied func(planner.Study, error)
}

// server is the DICOM node and the service in one process.
type server struct {
	cfg     serverConfig
	st      *store.Store
	queue   *jobs.Queue
	svc     *service.Server
	http    *http.Server
	node    *pacs.Node
	inbox   *pacs.Dir
	trail   *access.Trail
	arrived chan pacs.Arrival
	failed  chan error // a listener that broke

	API, DICOM   net.Addr
	Token        string // path of the token file
	SurgeonToken string // path of the surgeon's, or ""
}

const shutdownGrace = 5 * time.Second

// surgeonIdentity is the account of the surgeon of that name; the audit trail
// knows it by the name.
func surgeonIdentity(name string) access.Identity {
	return access.Identity{Subject: name, Role: access.Surgeon, Person: name}
}

// startServer opens the store, takes up its queue and listens. Close it.
func startServer(ctx context.Context, cfg serverConfig, r *runner) (_ *server, err error) {
	s := &server{cfg: cfg, arrived: make(chan pacs.Arrival, 64), failed: make(chan error, 2), Token: cfg.tokenFile}
	if s.Token == "" {
		s.Token = filepath.Join(cfg.data, "token")
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.st, err = store.Open(ctx, filepath.Join(cfg.data, "store")); err != nil {
		return nil, err
	}
	r.st, r.bundles = s.st, filepath.Join(cfg.data, "bundles")
	if s.queue, err = jobs.Open(ctx, s.st, r, jobs.Config{Log: cfg.log}); err != nil {
		return nil, err
	}
	if s.trail, err = access.OpenTrail(filepath.Join(cfg.data, "trail.jsonl")); err != nil {
		return nil, err
	}
	tokens := &access.Tokens{}
	if err = tokens.Issue(s.Token, access.Identity{Subject: "local", Role: access.Admin}); err != nil {
		return nil, err
	}
	if cfg.surgeon != "" {
		s.SurgeonToken = s.Token + "-surgeon"
		if err = tokens.Issue(s.SurgeonToken, surgeonIdentity(cfg.surgeon)); err != nil {
			return nil, err
		}
	}
	if s.svc, err = service.New(service.Config{Store: s.st, Queue: s.queue, Tokens: tokens, Proposer: r, Decider: r, Trail: s.trail, Build: buildID(), Log: cfg.log}); err != nil {
		return nil, err
	}
	if s.http, err = s.svc.HTTPServer(); err != nil {
		return nil, err
	}
	api, err := access.Listen(cfg.api, access.Policy{Authenticated: true})
	if err != nil {
		return nil, err
	}
	s.API = api.Addr()
	go func() {
		if err := s.http.Serve(api); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("service: %w", err)
		}
	}()
	return s, s.startNode()
}

// startNode opens the DICOM node and the loop that turns received series into
// studies.
func (s *server) startNode() (err error) {
	s.inbox, err = pacs.OpenDir(filepath.Join(s.cfg.data, "received"), func(ctx context.Context, a pacs.Arrival) {
		select {
		case s.arrived <- a:
		case <-ctx.Done(): // the node is stopping; the series becomes a study when it is sent again
		}
	})
	if err != nil {
		return err
	}
	if s.node, err = pacs.New(pacs.Config{AETitle: s.cfg.aeTitle, Address: s.cfg.dicom, Log: s.cfg.log}, s.inbox); err != nil {
		return err
	}
	ln, err := s.node.Listen()
	if err != nil {
		return err
	}
	s.DICOM = ln.Addr()
	go func() {
		if err := s.node.Serve(ln); err != nil && !errors.Is(err, pacs.ErrNodeClosed) {
			s.failed <- fmt.Errorf("DICOM node: %w", err)
		}
	}()
	return nil
}

// run takes in what the node receives until ctx is done or a listener breaks.
func (s *server) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.failed:
			return err
		case a := <-s.arrived:
			for _, series := range a.Series {
				study, err := s.ingest(ctx, series)
				if err != nil {
					s.cfg.log.Warn("received series refused", "reason", err.Error())
				} else {
					s.cfg.log.Info("study received", "study", study.ID, "files", len(study.Files))
				}
				if s.cfg.studied != nil {
					s.cfg.studied(study, err)
				}
			}
		}
	}
}

// ingest makes a study of the folder that holds a received series.
func (s *server) ingest(ctx context.Context, series pacs.Series) (planner.Study, error) {
	if len(series.Instances) == 0 {
		return planner.Study{}, fs.ErrNotExist
	}
	return ingest(ctx, s.st, os.DirFS(filepath.Dir(series.Instances[0].Path)))
}

// close stops listening, lets calls end, and closes queue and store.
func (s *server) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if s.node != nil {
		_ = s.node.Shutdown(ctx)
	}
	if s.svc != nil {
		s.svc.Close()
	}
	if s.http != nil {
		if s.http.Shutdown(ctx) != nil {
			_ = s.http.Close()
		}
	}
	if s.queue != nil {
		_ = s.queue.Close()
	}
	if s.inbox != nil {
		_ = s.inbox.Close()
	}
	if s.trail != nil {
		_ = s.trail.Close()
	}
	if s.st != nil {
		_ = s.st.Close()
	}
}

// buildID says which solver makes the results: the revision when the binary
// was built from one, else the version of the module.
func buildID() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Path + "@" + info.Main.Version
}
