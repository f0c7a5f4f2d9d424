package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// bar draws one progress bar per stage, with the time left, on a terminal; on
// anything else it prints a line when a stage ends.
type bar struct {
	mu       sync.Mutex // guards the rest
	w        io.Writer
	terminal bool
	stage    string
	started  time.Time
	drawn    time.Time
	done     float64
	took     []stageTime
}

type stageTime struct {
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds"`
}

func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	if ok {
		st, err := f.Stat()
		ok = err == nil && st.Mode()&os.ModeCharDevice != 0
	}
	return &bar{w: w, terminal: ok}
}

const redrawEvery = 100 * time.Millisecond

// set moves the bar; a new stage name ends the stage before.
func (b *bar) set(stage string, done float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if stage != b.stage {
		b.end(now)
		b.stage, b.started, b.done = stage, now, 0
		b.drawn = time.Time{}
	}
	b.done = max(b.done, min(done, 1))
	if b.terminal && (now.Sub(b.drawn) > redrawEvery || done >= 1) {
		b.drawn = now
		const width = 28
		full := int(b.done * width)
		fmt.Fprintf(b.w, "\r%-28s [%s%s] %3.0f %%  %s   ", b.stage, strings.Repeat("█", full), strings.Repeat("·", width-full), 100*b.done, b.left(now))
	}
}

// left estimates the time left of the stage from its share done so far.
func (b *bar) left(now time.Time) string {
	gone := now.Sub(b.started).Seconds()
	if b.done < 0.02 || b.done >= 1 {
		return fmt.Sprintf("%4.1f s       ", gone)
	}
	return fmt.Sprintf("%4.0f s left  ", gone*(1-b.done)/b.done)
}

func (b *bar) end(now time.Time) {
	if b.stage == "" {
		return
	}
	s := now.Sub(b.started).Seconds()
	b.took = append(b.took, stageTime{b.stage, s})
	if b.terminal {
		fmt.Fprintf(b.w, "\r%-28s [%s] 100 %%  %4.1f s        \n", b.stage, strings.Repeat("█", 28), s)
	} else {
		fmt.Fprintf(b.w, "%-28s %6.1f s\n", b.stage, s)
	}
}

// finish ends the last stage and returns what each took.
func (b *bar) finish() []stageTime {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(time.Now())
	b.stage = ""
	return b.took
}

// abandon leaves the terminal on a fresh line after an error.
func (b *bar) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.terminal && b.stage != "" {
		fmt.Fprintln(b.w)
	}
	b.stage = ""
}
