package jobs

import (
	"slices"
	"sync"

	"halsted/planner"
)

// Bus passes news of runs to watchers in this process. The zero Bus is ready.
type Bus struct {
	mu   sync.Mutex // guards subs
	subs map[string][]*Subscription
}

// Subscription is one watcher's end of the bus.
type Subscription struct {
	// C has the newest frame, sealed already and not to be changed, or nil: the
	// run's state changed, look in the store. It holds one item; a newer one
	// replaces one that was not taken, so a gap in Seq means: read the store.
	C   <-chan *planner.DisplayFrame
	c   chan *planner.DisplayFrame
	bus *Bus
	run string
}

// Subscribe starts watching a run; Close the subscription. What was published
// before is in the store.
func (b *Bus) Subscribe(run string) *Subscription {
	c := make(chan *planner.DisplayFrame, 1)
	s := &Subscription{C: c, c: c, bus: b, run: run}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = make(map[string][]*Subscription)
	}
	b.subs[run] = append(b.subs[run], s)
	return s
}

// Close ends the watching; C gets nothing more.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	left := slices.DeleteFunc(s.bus.subs[s.run], func(o *Subscription) bool { return o == s })
	if len(left) == 0 {
		delete(s.bus.subs, s.run)
		return
	}
	s.bus.subs[s.run] = left
}

// Publish hands a sealed frame to the watchers of a run, or with nil tells
// them to look in the store. It never waits.
func (b *Bus) Publish(run string, f *planner.DisplayFrame) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.subs[run] {
		select {
		case <-s.c: // replaced: the store has it
		default:
		}
		s.c <- f // room for one, and only Publish sends, under mu
	}
}

// Watched reports whether anybody watches a run.
func (b *Bus) Watched(run string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subs[run]) > 0
}
