package feed

import (
	"slices"
	"sync"

	pb "halsted/proto/halsted/v1"
)

// mailboxSize is how many messages wait without DropLate before the receiver
// stops reading and the stream's flow control holds the server back.
const mailboxSize = 8

// mailbox hands messages from the receiver to the decoder. With dropLate a
// frame that still waits is replaced by a newer one of its epoch, and its
// header by that of the newer one.
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
	if b.dropLate && m.GetFrame() != nil && b.overtake(m.GetFrame().Epoch) {
		b.queue = append(b.queue, m)
		b.dropped++
		b.cond.Broadcast()
		return
	}
	for len(b.queue) >= mailboxSize && !b.shut {
		b.cond.Wait()
	}
	if !b.shut {
		b.queue = append(b.queue, m)
	}
	b.cond.Broadcast()
}

// overtake removes the frame of the epoch that waits last, which only a header
// may follow; then the header before that one, if it tells of the same bodies.
func (b *mailbox) overtake(epoch uint64) bool {
	at := len(b.queue) - 1
	if at > 0 && b.queue[at].GetHeader() != nil {
		at--
	}
	if at < 0 || b.queue[at].GetFrame() == nil || b.queue[at].GetFrame().Epoch != epoch {
		return false
	}
	b.queue = slices.Delete(b.queue, at, at+1)
	if at == 0 || at == len(b.queue) {
		return true
	}
	old, now := b.queue[at-1].GetHeader(), b.queue[at].GetHeader()
	if old != nil && old.Epoch == now.Epoch && old.TopologyHash == now.TopologyHash {
		b.queue = slices.Delete(b.queue, at-1, at)
	}
	return true
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
