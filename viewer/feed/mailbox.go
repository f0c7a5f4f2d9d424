package feed

import (
	"sync"

	pb "halsted/proto/halsted/v1"
)

// mailboxSize is how many messages wait without DropLate before the receiver
// stops reading and the stream's flow control holds the server back.
const mailboxSize = 8

// mailbox hands messages from the receiver to the decoder. With dropLate a
// frame that still waits is replaced by a newer one of its epoch.
type mailbox struct {
	dropLate bool

	mu      sync.Mutex // guards the rest
	cond    *sync.Cond
	queue   []*pb.WatchFramesResponse
	err     error
	dropped int
	shut    bool
}

func newMailbox(dropLate bool) *mailbox {
	b := &mailbox{dropLate: dropLate}
	b.cond = sync.NewCond(&b.mu)
	return b
}

// put adds a message or the error that ends the stream; it waits while the
// box is full.
func (b *mailbox) put(m *pb.WatchFramesResponse, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.err = err
		b.cond.Broadcast()
		return
	}
	if n := len(b.queue); b.dropLate && n > 0 {
		last, next := b.queue[n-1].GetFrame(), m.GetFrame()
		if last != nil && next != nil && last.Epoch == next.Epoch {
			b.queue[n-1] = m
			b.dropped++
			return
		}
	}
	for len(b.queue) >= mailboxSize && !b.shut {
		b.cond.Wait()
	}
	if !b.shut {
		b.queue = append(b.queue, m)
	}
	b.cond.Broadcast()
}

// take waits for a message; the error comes after all messages before it.
// dropped counts the frames replaced since the last call.
func (b *mailbox) take() (m *pb.WatchFramesResponse, dropped int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 && b.err == nil {
		b.cond.Wait()
	}
	dropped, b.dropped = b.dropped, 0
	if len(b.queue) == 0 {
		return nil, dropped, b.err
	}
	m, b.queue = b.queue[0], b.queue[1:]
	b.cond.Broadcast()
	return m, dropped, nil
}

// close lets a waiting put return.
func (b *mailbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shut = true
	b.cond.Broadcast()
}

func (b *mailbox) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shut
}
