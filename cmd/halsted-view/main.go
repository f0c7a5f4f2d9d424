// Command halsted-view shows a run of a Halsted server on the screen, or
// writes a picture of it.
//
// Run it as
//
//	halsted-view --server 127.0.0.1:7400 --token-file ~/.halsted/token --run cases/C/plans/P/runs/R
//
// It opens a window that follows the run while it is solved: organs with
// transparency, the stress colours with their legend, a time slider, a clip
// plane; the key h lists the keys. With --screenshot FILE it waits for the
// frame asked for, writes a PNG and ends; under Xvfb when there is no display,
// or with --software without any OpenGL.
//
// Exit codes: 0 done; 1 the picture could not be made or written; 2 wrong
// usage; 3 no server, no such run, or no right to see it; 4 no display or no
// OpenGL; 5 the run ended without the frame asked for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"halsted/viewer/scene"
)

// The exit codes, as documented in usage.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitServer  = 3
	exitDisplay = 4
	exitFrame   = 5
)

const usageHead = `halsted-view shows a run of a Halsted server on the screen, or writes a picture of it.

Usage:
  halsted-view --server HOST:PORT --token-file FILE --run RUN [options]

Example:
  halsted-view --server 127.0.0.1:7400 --token-file out/token --run cases/4f…/plans/9a…/runs/c2… \
      --screenshot stress.png --frame last --view anterior --size 1280x800

Options:
`

const usageTail = `
Exit codes:
  0  done (the window was closed, or the picture is written)
  1  the picture could not be made or written
  2  wrong usage
  3  no server, no such run, or no right to see it
  4  no display or no OpenGL; --software needs neither
  5  the run ended without the frame asked for

Research and planning support, not a diagnosis. A surgeon decides.
`

// command is what the flags say.
type command struct {
	server, tokenFile, ca, run string
	screenshot, field          string
	seq                        uint64 // 0: last
	view                       scene.View
	width, height              int
	json, software             bool
	timeout                    time.Duration
}

// codedError is an error with an exit code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func coded(code int, format string, a ...any) error {
	return &codedError{code, fmt.Errorf(format, a...)}
}

// OpenGL calls belong to the thread that made the window, on macOS the first.
func init() { runtime.LockOSThread() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings handed in; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "halsted-view: %v\nhalsted-view --help tells more.\n", err)
		return exitUsage
	}
	if c.screenshot != "" {
		err = c.picture(ctx, stdout, stderr)
	} else {
		err = c.watch(ctx, stdout)
	}
	if err == nil || errors.Is(err, context.Canceled) && c.screenshot == "" {
		return exitOK
	}
	fmt.Fprintf(stderr, "halsted-view: %v\n", err)
	if e, ok := errors.AsType[*codedError](err); ok {
		return e.code
	}
	return exitFailed
}

func parse(args []string, stdout io.Writer) (*command, error) {
	var c command
	var frame, view, size string
	f := flag.NewFlagSet("halsted-view", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.server, "server", "", "address of the server, `HOST:PORT`; TLS unless it is on this machine")
	f.StringVar(&c.tokenFile, "token-file", "", "`FILE` with the token that the server wrote at its start")
	f.StringVar(&c.ca, "ca", "", "PEM `FILE` with the certificate authority of the server (default: the system's)")
	f.StringVar(&c.run, "run", "", "`RUN` to show: cases/CASE/plans/PLAN/runs/RUN")
	f.StringVar(&c.screenshot, "screenshot", "", "write a PNG `FILE` and end, instead of opening a window")
	f.StringVar(&frame, "frame", "last", "`N` of the frame to picture, or last to wait for the end of the run")
	f.StringVar(&view, "view", "anterior", "`VIEW`: anterior, posterior, left, right, cranial or caudal")
	f.StringVar(&c.field, "field", "von_mises", "`ID` of the field whose colours the organ wears, or none")
	f.StringVar(&size, "size", "1280x800", "`WIDTHxHEIGHT` in pixels")
	f.BoolVar(&c.software, "software", false, "draw the screenshot without OpenGL and without a display")
	f.BoolVar(&c.json, "json", false, "print one JSON object about what was shown or written")
	f.DurationVar(&c.timeout, "timeout", 10*time.Second, "give up when there is no link to the server for that `TIME`")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usageHead)
			f.SetOutput(stdout)
			f.PrintDefaults()
			fmt.Fprint(stdout, usageTail)
		}
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	for _, n := range [][2]string{{"server", c.server}, {"token-file", c.tokenFile}, {"run", c.run}} {
		if n[1] == "" {
			return nil, fmt.Errorf("--%s is missing", n[0])
		}
	}
	if parts := strings.Split(c.run, "/"); len(parts) != 6 || parts[0] != "cases" || parts[2] != "plans" || parts[4] != "runs" {
		return nil, fmt.Errorf("--run %q is not cases/CASE/plans/PLAN/runs/RUN", c.run)
	}
	var err error
	if c.view, err = scene.ParseView(view); err != nil {
		return nil, fmt.Errorf("--view: %w", err)
	}
	if frame != "last" {
		if c.seq, err = strconv.ParseUint(frame, 10, 64); err != nil || c.seq == 0 || c.seq == math.MaxUint64 {
			return nil, fmt.Errorf("--frame %q is neither a number from 1 nor last", frame)
		}
	}
	if c.width, c.height, err = parseSize(size); err != nil {
		return nil, err
	}
	if c.software && c.screenshot == "" {
		return nil, errors.New("--software goes with --screenshot")
	}
	if c.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %v is not positive", c.timeout)
	}
	return &c, nil
}

// maxSide bounds width and height, pixels.
const maxSide = 4096

func parseSize(s string) (w, h int, err error) {
	a, b, ok := strings.Cut(s, "x")
	w, e1 := strconv.Atoi(a)
	h, e2 := strconv.Atoi(b)
	if !ok || e1 != nil || e2 != nil || w < 64 || h < 64 || w > maxSide || h > maxSide {
		return 0, 0, fmt.Errorf("--size %q is not WIDTHxHEIGHT of 64 to %d pixels each", s, maxSide)
	}
	return w, h, nil
}
