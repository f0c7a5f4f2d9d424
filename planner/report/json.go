package report

import (
	"bytes"
	"encoding/json"
	"io"

	"halsted/planner"
)

// document is the JSON form.
type document struct {
	Schema string `json:"schema"`
	Notice string `json:"notice"`
	Status string `json:"status"` // the approval in words
	Dossier
}

// JSON writes the dossier for machines, under Schema. Text stands as it was
// given (invalid UTF-8 replaced); <, > and & are escaped, so that it may stand
// in a page. The same dossier gives the same bytes. It writes nothing when
// Check finds a fault.
func JSON(w io.Writer, d Dossier) error {
	if err := d.Check(); err != nil {
		return err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	if err := e.Encode(document{Schema, planner.Notice, d.approved(), d}); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
