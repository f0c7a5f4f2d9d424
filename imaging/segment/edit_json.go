package segment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// editFile is a list of edits as stored.
type editFile struct {
	Format string `json:"format"` // editFormat
	Edits  []Edit `json:"edits"`
}

// editFormat tells files of edits from others.
const editFormat = "halsted.edits"

// Bounds of a file of edits.
const (
	maxEditBytes = 16 << 20
	maxEdits     = 10000
)

// WriteEdits writes edits as JSON, each with its version and parent:
//
//	{"format": "halsted.edits", "edits": [
//	  {"version": 1, "parent": "9f…", "do": "refine", "label": "liver", "outside": [[-40.5, 20, 110]]}
//	]}
func WriteEdits(w io.Writer, edits []Edit) error {
	for n, e := range edits {
		if err := e.Validate(); err != nil {
			return numbered(n+1, err)
		}
	}
	if edits == nil {
		edits = []Edit{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(editFile{editFormat, edits})
}

// ReadEdits reads what WriteEdits writes and checks each edit. Unknown fields
// are refused: an edit must not do less than it says. A file is at most 16 MiB
// with 10 000 edits.
func ReadEdits(r io.Reader) ([]Edit, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxEditBytes+1))
	if err != nil {
		return nil, fmt.Errorf("segment: edits: %w", err)
	}
	if len(b) > maxEditBytes {
		return nil, fmt.Errorf("segment: edits: longer than %d bytes", maxEditBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var f editFile
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("segment: edits: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("segment: edits: something follows after them")
	}
	if f.Format != editFormat {
		return nil, fmt.Errorf("segment: edits: format %q, want %q", f.Format, editFormat)
	}
	if len(f.Edits) > maxEdits {
		return nil, fmt.Errorf("segment: edits: %d of them; %d are the most", len(f.Edits), maxEdits)
	}
	for n, e := range f.Edits {
		if err := e.Validate(); err != nil {
			return nil, numbered(n+1, err)
		}
	}
	return f.Edits, nil
}
