package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const maxFileSize = 1 << 20 // bytes; a file is read whole

// readAll reads a data file of at most maxFileSize.
func readAll(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if len(b) > maxFileSize {
		return nil, fmt.Errorf("is over %d bytes", maxFileSize)
	}
	return b, nil
}

// decode reads one JSON value into v. It refuses what would let a number get
// lost without a word: unknown fields, a field given twice, text that is not
// UTF-8, and anything after the value.
func decode(b []byte, v any) error {
	if !utf8.Valid(b) {
		return errors.New("is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("goes on after its end")
	}
	return refuseTwice(b)
}

// refuseTwice fails on an object that has a key twice; upper and lower case
// are one, as in encoding/json. b is valid JSON.
func refuseTwice(b []byte) error {
	type level struct {
		keys map[string]bool // nil in an array
		key  bool            // the next string is a key
	}
	var at []level
	value := func() { // a value of the innermost object has ended
		if n := len(at) - 1; n >= 0 && at[n].keys != nil {
			at[n].key = true
		}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'):
			at = append(at, level{map[string]bool{}, true})
			continue
		case json.Delim('['):
			at = append(at, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			at = at[:len(at)-1]
			value()
			continue
		}
		if n := len(at) - 1; n >= 0 && at[n].key {
			k := strings.ToLower(t.(string))
			if at[n].keys[k] {
				return fmt.Errorf("has %q twice in one object", t)
			}
			at[n].keys[k] = true
			at[n].key = false
			continue
		}
		value()
	}
}
