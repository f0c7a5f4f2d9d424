package segment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"halsted/imaging"
)

// History is the edits made on masks, as a tree: undo goes to the parent, redo
// to the child last left, and an edit after an undo begins a branch. It holds
// what each edit changed, not copies of the masks. A state is named by its hash:
// StateHash for the root, Edit.Hash for the others. It is not safe for use by
// several goroutines at once.
type History struct {
	v     *imaging.Volume
	s     *imaging.Segments
	nodes []historyNode // nodes[0] is the root
	at    int
}

type historyNode struct {
	hash     string
	edit     Edit // none at the root
	patch    *Patch
	parent   int
	children []int
	redo     int // child last left, 0 for none
}

// ErrNothing is returned by Undo at the root and by Redo at an end.
var ErrNothing = errors.New("segment: there is nothing to undo or redo")

// NewHistory begins a history of s, which belongs to it from then on: between
// its calls s may be read but not written. v and r are the volume and the recipe
// that s came from.
func NewHistory(ctx context.Context, v *imaging.Volume, s *imaging.Segments, r Recipe) (*History, error) {
	hash, err := StateHash(ctx, v, s, r)
	if err != nil {
		return nil, err
	}
	return &History{v: v, s: s, nodes: []historyNode{{hash: hash, parent: -1}}}, nil
}

// Segments are the masks in the state at hand.
func (h *History) Segments() *imaging.Segments { return h.s }

// Hash names the state at hand.
func (h *History) Hash() string { return h.nodes[h.at].hash }

// Root names the state before any edit.
func (h *History) Root() string { return h.nodes[0].hash }

// Do makes an edit. Its Version and Parent may be left empty, for those at hand;
// an edit whose Parent is another state is a *ParentError. On an error nothing
// changes. An edit made here before is taken up again as it was.
func (h *History) Do(ctx context.Context, e Edit) (*Patch, error) {
	if e.Version == 0 {
		e.Version = EditVersion
	}
	if e.Parent == "" {
		e.Parent = h.Hash()
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	if e.Parent != h.Hash() {
		return nil, &ParentError{e.Parent, h.Hash()}
	}
	hash := e.Hash()
	for _, c := range h.nodes[h.at].children {
		if h.nodes[c].hash == hash {
			h.down(c)
			return h.nodes[c].patch, nil
		}
	}
	p, err := e.apply(ctx, h.v, h.s)
	if err != nil {
		return nil, &EditError{Why: e.title(), Err: err}
	}
	e.Inside, e.Outside, e.Path = slices.Clone(e.Inside), slices.Clone(e.Outside), slices.Clone(e.Path)
	p.runs = slices.Clip(p.runs)
	h.nodes = append(h.nodes, historyNode{hash: hash, edit: e, patch: p, parent: h.at})
	h.nodes[h.at].children = append(h.nodes[h.at].children, len(h.nodes)-1)
	h.at = len(h.nodes) - 1
	return p, nil
}

// Undo takes the last edit back and returns what changed by it.
func (h *History) Undo() (*Patch, error) {
	if h.at == 0 {
		return nil, ErrNothing
	}
	p := h.nodes[h.at].patch
	h.up()
	return p, nil
}

// Redo makes the edit again that was last taken back here.
func (h *History) Redo() (*Patch, error) {
	c := h.nodes[h.at].redo
	if c == 0 {
		return nil, ErrNothing
	}
	h.down(c)
	return h.nodes[c].patch, nil
}

// Goto goes to any state of the tree, on whatever branch.
func (h *History) Goto(hash string) error {
	to := slices.IndexFunc(h.nodes, func(n historyNode) bool { return n.hash == hash })
	if to < 0 {
		return fmt.Errorf("segment: this history has no state %.12s…", hash)
	}
	var way []int // from the common ancestor down to it
	above := map[int]bool{}
	for n := h.at; n >= 0; n = h.nodes[n].parent {
		above[n] = true
	}
	n := to
	for ; !above[n]; n = h.nodes[n].parent {
		way = append(way, n)
	}
	for h.at != n {
		h.up()
	}
	for _, c := range slices.Backward(way) {
		h.down(c)
	}
	return nil
}

func (h *History) up() {
	n := &h.nodes[h.at]
	n.patch.Revert(h.s)
	h.nodes[n.parent].redo = h.at
	h.at = n.parent
}

func (h *History) down(c int) {
	h.nodes[c].patch.Apply(h.s)
	h.nodes[h.at].redo = c
	h.at = c
}

// Edits are the edits from the root to the state at hand, first first.
func (h *History) Edits() []Edit {
	var out []Edit
	for n := h.at; n > 0; n = h.nodes[n].parent {
		out = append(out, h.nodes[n].edit)
	}
	slices.Reverse(out)
	return out
}

// Ends are the states without a child: one for each branch, oldest first.
func (h *History) Ends() []string {
	var out []string
	for _, n := range h.nodes {
		if len(n.children) == 0 {
			out = append(out, n.hash)
		}
	}
	return out
}

// Bytes is the memory the history holds beside the masks and the volume.
func (h *History) Bytes() int {
	sum := 0
	for _, n := range h.nodes {
		sum += 200 + 24*(len(n.edit.Inside)+len(n.edit.Outside)+len(n.edit.Path)) + 8*len(n.children)
		if n.patch != nil {
			sum += n.patch.Bytes()
		}
	}
	return sum
}

// ApplyEdits makes a list of edits on s, which came from v by r, and returns
// their history. Every edit must name its parent: an edit made on another state,
// because the labels, the scan, the recipe or an earlier edit differ, is a
// *ParentError within an *EditError that tells its number. On an error s is as
// it was.
func ApplyEdits(ctx context.Context, v *imaging.Volume, s *imaging.Segments, r Recipe, edits []Edit) (*History, error) {
	for n, e := range edits {
		if err := e.Validate(); err != nil {
			return nil, numbered(n+1, err)
		}
	}
	h, err := NewHistory(ctx, v, s, r)
	if err != nil {
		return nil, err
	}
	for n, e := range edits {
		if _, err := h.Do(ctx, e); err != nil {
			_ = h.Goto(h.Root())
			return nil, numbered(n+1, err)
		}
	}
	return h, nil
}

// numbered tells the place of an edit in a list.
func numbered(n int, err error) error {
	if e, ok := errors.AsType[*EditError](err); ok {
		out := *e
		out.Number = n
		return &out
	}
	return &EditError{Number: n, Err: err}
}
