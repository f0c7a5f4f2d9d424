package scene

import (
	"sync"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Body is one structure as it arrives: what AddStructure needs.
type Body struct {
	Name  string
	Label imaging.Label
	Verts []r3.Vec // at rest, LPS mm
	Tris  [][3]int32
}

// Inbox carries bodies, frames and status lines from the goroutine that
// receives them to the one that owns the scene. The zero value is ready.
type Inbox struct {
	mu     sync.Mutex // guards the rest
	bodies []Body
	reset  bool
	frames []*Frame
	status string
	fresh  bool
}

// Topology replaces the bodies; frames waiting for the old ones are dropped.
func (in *Inbox) Topology(bodies []Body) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bodies, in.reset, in.frames, in.fresh = bodies, true, nil, true
}

// Frame queues a frame. The queue is bounded by DefaultMaxFrames: the oldest
// are dropped, as the timeline would.
func (in *Inbox) Frame(f *Frame) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.frames) >= DefaultMaxFrames {
		in.frames = append([]*Frame(nil), in.frames[1:]...)
	}
	in.frames = append(in.frames, f)
	in.fresh = true
}

// Status replaces the status line.
func (in *Inbox) Status(line string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if line != in.status {
		in.status, in.fresh = line, true
	}
}

// Update moves what has arrived into sc, on the caller's goroutine. changed
// reports that something is new, rebuilt that the bodies are (the caller may
// want to set styles and camera). Frames that come late are passed over; any
// other misfit is returned after the rest has been moved.
func (in *Inbox) Update(sc *Scene) (changed, rebuilt bool, err error) {
	in.mu.Lock()
	bodies, reset, frames, status, fresh := in.bodies, in.reset, in.frames, in.status, in.fresh
	in.bodies, in.reset, in.frames, in.fresh = nil, false, nil, false
	in.mu.Unlock()
	if !fresh {
		return false, false, nil
	}
	sc.Status = status
	if reset {
		sc.Structures, sc.verts = nil, 0
		sc.Timeline = Timeline{Follow: true, MaxFrames: sc.Timeline.MaxFrames}
		for _, b := range bodies {
			if _, e := sc.AddStructure(b.Name, b.Label, b.Verts, b.Tris); e != nil && err == nil {
				err = e
			}
		}
	}
	for _, f := range frames {
		e := sc.AppendFrame(f)
		if _, late := e.(*OrderError); e != nil && !late && err == nil {
			err = e
		}
	}
	return true, reset, err
}
