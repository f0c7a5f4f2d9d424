package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"halsted/internal/access"
	"halsted/internal/atomicfile"
	"halsted/viewer/feed"
	"halsted/viewer/raster"
	"halsted/viewer/scene"
	"halsted/viewer/window"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// report is what --json prints.
type report struct {
	Run      string  `json:"run"`
	State    string  `json:"state,omitempty"`
	File     string  `json:"file,omitempty"`
	Frame    uint64  `json:"frame"`
	Frames   int     `json:"frames"`
	TimeS    float64 `json:"time_s"`
	View     string  `json:"view"`
	Width    int     `json:"width_px"`
	Height   int     `json:"height_px"`
	Field    string  `json:"field,omitempty"`
	Unit     string  `json:"unit,omitempty"`
	Min      float64 `json:"min"`
	Max      float64 `json:"max"`
	Renderer string  `json:"renderer"`
	Notice   string  `json:"notice"`
}

func (c *command) dial() (*grpc.ClientConn, error) {
	token, err := access.ReadToken(c.tokenFile)
	if err != nil {
		return nil, coded(exitServer, "%w", err)
	}
	var conf *tls.Config
	if c.ca != "" {
		pem, err := os.ReadFile(c.ca)
		if err != nil {
			return nil, coded(exitServer, "certificate authority: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, coded(exitServer, "certificate authority: %s holds no PEM certificate", filepath.Base(c.ca))
		}
		conf = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	}
	conn, err := feed.Dial(c.server, token, conf)
	if err != nil {
		return nil, coded(exitServer, "%w", err)
	}
	return conn, nil
}

// explain turns an error of the feed into a sentence and an exit code.
func (c *command) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	switch status.Code(err) {
	case codes.Unavailable:
		return coded(exitServer, "no server answers at %s: is it running? (%v)", c.server, err)
	case codes.Unauthenticated, codes.PermissionDenied:
		return coded(exitServer, "the server refuses the token in %s: %s", filepath.Base(c.tokenFile), status.Convert(err).Message())
	case codes.NotFound:
		return coded(exitServer, "the server knows no run %s", c.run)
	}
	return coded(exitServer, "%w", err)
}

// until passes on what arrives and ends the feed after the wanted frame.
type until struct {
	*scene.Inbox
	seq  uint64 // 0: never
	stop context.CancelFunc
	log  io.Writer
	said string
}

func (u *until) Frame(f *scene.Frame) {
	u.Inbox.Frame(f)
	if f.Seq == u.seq {
		u.stop()
	}
}

func (u *until) Status(line string) {
	u.Inbox.Status(line)
	if line != "" && line != u.said {
		u.said = line
		fmt.Fprintln(u.log, line)
	}
}

// picture writes one frame of the run as a PNG.
func (c *command) picture(ctx context.Context, stdout, stderr io.Writer) error {
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	var win *window.Window
	if !c.software { // before waiting for a run: a missing display is known now
		if win, err = c.open(true); err != nil {
			return err
		}
		defer win.Close()
	}
	feedCtx, stop := context.WithCancel(ctx)
	defer stop()
	var in scene.Inbox
	res, err := feed.Follow(feedCtx, conn, c.run, &until{Inbox: &in, seq: c.seq, stop: stop, log: stderr}, feed.Options{GiveUp: c.timeout})
	found := c.seq > 0 && res.LastSeq == c.seq
	if err != nil && !found {
		return c.explain(err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sc := scene.New()
	if _, _, err := in.Update(sc); err != nil {
		return coded(exitFailed, "%w", err)
	}
	if c.seq > 0 && !sc.Timeline.SeekSeq(c.seq) || sc.Timeline.Len() == 0 {
		want := "a frame"
		if c.seq > 0 {
			want = "frame " + strconv.FormatUint(c.seq, 10)
		}
		return coded(exitFrame, "the run %s after %d frames, without %s: %s", res.State, res.Frames, want, res.Message)
	}
	if res.State != "failed" && res.State != "cancelled" {
		sc.Status = "" // a picture is not live
	}
	c.dress(ctx, conn, sc)
	c.place(sc)
	var img *image.RGBA
	rep := c.report(sc, res.State)
	if c.software {
		rep.Renderer = "software"
		img, err = raster.Render(ctx, sc, raster.Options{Width: c.width, Height: c.height})
	} else {
		rep.Renderer = "OpenGL " + win.Driver()
		img, err = win.Screenshot(sc, c.width, c.height)
	}
	if err != nil {
		return coded(exitFailed, "%w", err)
	}
	if err := writePNG(c.screenshot, img, [][2]string{
		{"Software", "halsted-view"}, {"Source", c.run}, {"Comment", fmt.Sprintf("frame %d, %s view, LPS mm", rep.Frame, c.view)}, {"Disclaimer", sc.Notice},
	}); err != nil {
		return coded(exitFailed, "%w", err)
	}
	if c.json {
		return json.NewEncoder(stdout).Encode(rep)
	}
	_, err = fmt.Fprintf(stdout, "%s: frame %d of %s, %s view, %d by %d pixels\n", c.screenshot, rep.Frame, c.run, c.view, c.width, c.height)
	return err
}

// watch opens a window that follows the run until it is closed.
func (c *command) watch(ctx context.Context, stdout io.Writer) error {
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	win, err := c.open(false)
	if err != nil {
		return err
	}
	defer win.Close()
	sc := scene.New()
	sc.Status = "Waiting for the first frame"
	sc.Background = color.NRGBA{R: 30, G: 34, B: 42, A: 255}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var in scene.Inbox
	var res feed.Result
	ended := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		res, err = feed.Follow(ctx, conn, c.run, &in, feed.Options{DropLate: false, GiveUp: c.timeout})
		if err = c.explain(err); err != nil && !errors.Is(err, context.Canceled) {
			ended <- err
			in.Status(err.Error())
			if res.Frames == 0 {
				stop() // nothing to look at
			}
		}
	}()
	controls := &scene.Controls{Scene: sc, Width: c.width, Height: c.height}
	err = win.Run(ctx, window.Viewer{
		Controls: controls, Inbox: &in,
		Rebuilt: func(sc *scene.Scene) { c.place(sc) },
		First:   func(sc *scene.Scene) { c.dress(ctx, conn, sc); c.place(sc) },
		Misfit:  func(err error) { in.Status(err.Error()) },
	})
	stop()
	<-done
	if err != nil {
		return coded(exitFailed, "%w", err)
	}
	select {
	case err := <-ended:
		if res.Frames == 0 {
			return err
		}
	default:
	}
	if c.json {
		rep := c.report(sc, res.State)
		rep.Renderer = "OpenGL"
		return json.NewEncoder(stdout).Encode(rep)
	}
	return nil
}

func (c *command) open(hidden bool) (*window.Window, error) {
	w, err := window.Open(window.Options{Width: c.width, Height: c.height, Title: "Halsted: " + c.run, Hidden: hidden})
	if err != nil {
		if hidden {
			err = fmt.Errorf("%w; or add --software", err)
		}
		return nil, coded(exitDisplay, "%w", err)
	}
	return w, nil
}

// dress names the plan and puts the field's colours on the organ.
func (c *command) dress(ctx context.Context, conn grpc.ClientConnInterface, sc *scene.Scene) {
	// A server without the plan's name still has a picture worth showing.
	if title, err := feed.PlanTitle(ctx, conn, c.run); err == nil && title != "" {
		sc.Title = title
	} else {
		sc.Title = "Run " + filepath.Base(c.run)
	}
	if slices.Contains(sc.Fields(), c.field) {
		sc.ColourBy(c.field)
	}
}

func (c *command) place(sc *scene.Scene) { sc.Show(c.view, float64(c.width)/float64(c.height)) }

func (c *command) report(sc *scene.Scene, state string) report {
	r := report{
		Run: c.run, State: state, File: c.screenshot, Frames: sc.Timeline.Len(), View: c.view.String(),
		Width: c.width, Height: c.height, Notice: sc.Notice,
	}
	if f := sc.Timeline.Current(); f != nil {
		r.Frame, r.TimeS = f.Seq, f.TimeS
	}
	if s := sc.Scales(); len(s) > 0 {
		r.Field, r.Unit, r.Min, r.Max = s[0].ID, s[0].Unit, s[0].DataMin, s[0].DataMax
	}
	return r
}

// writePNG writes the whole file or none.
func writePNG(path string, img image.Image, text [][2]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return raster.EncodePNG(w, img, text) })
}
