package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"halsted/imaging/pacs"
	"halsted/planner"
	"halsted/planner/pipeline"
	"halsted/planner/report"
	"halsted/viewer/feed"
	"halsted/viewer/scene"
)

func demoCommand() *command {
	var f caseFlags
	var out, folder string
	var patient uint64
	var s pipeline.Settings
	return &command{
		name: "demo", summary: "Do the main job end to end: DICOM push, plans, simulation, stream, report",
		example: "halsted demo\nhalsted demo --dicom study/ --seed tumour_1=-62,-8,1210 --out out",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&folder, "dicom", "", "folder of a real portal-venous CT; default: the sample patient")
			fs.Var(&f.seeds, "seed", "a point inside a structure, LPS mm: tumour_1=-40,20,110 (may be repeated)")
			fs.StringVar(&f.condition, "condition", "normal", "condition of the organ: normal, chemotherapy, cirrhosis")
			fs.Uint64Var(&patient, "patient", 1, "which sample patient of the family")
			fs.StringVar(&out, "out", "out", "folder for the artefacts")
			fs.Float64Var(&s.EdgeMM, "edge", 10, "edge of the tetrahedra, mm")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 0 {
				return nil, usagef("no argument expected, got %q; name a series with --dicom", args)
			}
			b := newBar(o.log)
			r, err := demo(ctx, folder, out, patient, f, s, b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			r.Stages = b.finish()
			if !o.json {
				fmt.Fprintln(o.out)
				if err := report.Table(o.out, items(r.Plans, r.Evaluations)); err != nil {
					return nil, err
				}
				fmt.Fprintf(o.out, "\nWritten to %s: %s\nOpen %s\n", out, strings.Join(r.Artefacts, ", "), filepath.Join(out, "report.html"))
			}
			return r, nil
		},
	}
}

// demo is one walk as its users see it: the parts speak only through DIMSE and
// gRPC, as if they were machines apart.
func demo(ctx context.Context, folder, out string, patient uint64, f caseFlags, s pipeline.Settings, b *bar) (*simulateResult, error) {
	tmp, err := os.MkdirTemp("", "halsted-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if folder == "" {
		folder = filepath.Join(tmp, "sample")
		p, err := writePhantom(ctx, folder, patient, b)
		if err != nil {
			return nil, err
		}
		if len(f.seeds) == 0 { // the clicks a surgeon would make
			for _, k := range p.Seeds() {
				f.seeds = append(f.seeds, planner.Seed{Label: k.Label, LPS: k.LPS})
			}
		}
	}
	kept := &collector{}
	studies := make(chan error, 1)
	srv, err := startServer(ctx, serverConfig{data: filepath.Join(tmp, "data"), api: "127.0.0.1:0", dicom: "127.0.0.1:0", aeTitle: pacs.DefaultAETitle,
		log: slog.New(slog.DiscardHandler), studied: func(st planner.Study, err error) { kept.study = st; studies <- err }}, &runner{settings: s, simulated: kept.add})
	if err != nil {
		return nil, err
	}
	defer srv.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loop sync.WaitGroup
	loop.Go(func() { cancel(srv.run(ctx)) })
	defer loop.Wait()
	defer cancel(nil)

	if _, err := send(ctx, folder, srv.DICOM.String(), pacs.AE{Called: pacs.DefaultAETitle, Calling: "HALSTED-DEMO"}, b); err != nil {
		return nil, err
	}
	b.set("receive and check", 0)
	select {
	case err = <-studies:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	c, err := dialClient(srv)
	if err != nil {
		return nil, err
	}
	defer c.close()
	es, stress, err := c.walk(ctx, f, b)
	if err != nil {
		return nil, err
	}
	d := dossier{prepared: kept.prepared, study: kept.study, sims: kept.sims, evaluations: es, stress: stress}
	names, err := d.write(ctx, out, b.set)
	if err != nil {
		return nil, err
	}
	return d.result(names), nil
}

// collector keeps what the worker made, for the artefacts that do not travel
// over the wire (tetrahedra).
type collector struct {
	study    planner.Study
	mu       sync.Mutex // guards the rest
	prepared *pipeline.Prepared
	sims     []*pipeline.Simulated
}

func (k *collector) add(p *pipeline.Prepared, s *pipeline.Simulated) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.prepared = p
	k.sims = append(k.sims, s)
}

// walk drives the service as a client: case, plans, runs, frames, ranking.
func (c *client) walk(ctx context.Context, f caseFlags, b *bar) ([]planner.Evaluation, map[string]*scene.Scene, error) {
	study, err := c.study(ctx)
	if err != nil {
		return nil, nil, err
	}
	kase, err := c.createCase(ctx, study, f)
	if err != nil {
		return nil, nil, err
	}
	plans, err := c.propose(ctx, kase, b.set)
	if err != nil {
		return nil, nil, err
	}
	var runs []string
	for _, p := range plans {
		run, err := c.run(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, run)
	}
	scenes := map[string]*scene.Scene{}
	for n, run := range runs {
		sc, err := c.follow(ctx, run, func(stage string, done float64) { b.set(fmt.Sprintf("%s %d/%d", stage, n+1, len(runs)), done) })
		if err != nil {
			return nil, nil, err
		}
		scenes[lastOf(plans[n])] = sc
	}
	es, err := c.evaluations(ctx, kase)
	return es, scenes, err
}

// follow streams a run's frames into a scene.
func (c *client) follow(ctx context.Context, run string, progress func(string, float64)) (*scene.Scene, error) {
	var in scene.Inbox
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { c.watchProgress(ctx, run, done, progress) })
	res, err := feed.Follow(ctx, c.conn, run, &in, feed.Options{})
	close(done)
	watch.Wait()
	if err != nil {
		return nil, err
	}
	if res.State != "succeeded" {
		return nil, errors.New(res.Message)
	}
	sc := scene.New()
	_, _, err = in.Update(sc)
	return sc, err
}

func lastOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
