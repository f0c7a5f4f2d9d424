package pacs

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// keys are the identifiers that a data set carries itself.
type keys struct{ class, instance, study, series string }

const (
	// maxHead bounds how far into a data set its keys are looked for. They
	// stand in groups 0008 and 0020, before pixels and long sequences.
	maxHead = 4 << 20
	// maxDepth bounds nested sequences on the way there.
	maxDepth = 32

	undefinedLength = 0xFFFFFFFF

	tagClass    = 0x00080016
	tagInstance = 0x00080018
	tagStudy    = 0x0020000D
	tagSeries   = 0x0020000E
	tagItem     = 0xFFFEE000
	tagItemEnd  = 0xFFFEE00D
	tagSeqEnd   = 0xFFFEE0DD
)

// keyReader walks over the elements at the head of a data set (PS3.5 section
// 7) without keeping them.
type keyReader struct {
	r     *bufio.Reader
	order binary.ByteOrder
}

// readKeys reads r, a data set in transfer syntax ts, up to Series Instance
// UID (0020,000E). It reads a little further than that.
func readKeys(r io.Reader, ts string) (keys, error) {
	if ts == DeflatedExplicitVRLittleEndian {
		r = flate.NewReader(r) // PS3.5 A.5: the whole data set is one deflate stream
	}
	k := &keyReader{r: bufio.NewReaderSize(io.LimitReader(r, maxHead), 4096), order: binary.LittleEndian}
	if ts == ExplicitVRBigEndian {
		k.order = binary.BigEndian
	}
	var found keys
	for last := uint32(0); last < tagSeries; {
		tag, n, implicit, err := k.element(ts == ImplicitVRLittleEndian)
		if errors.Is(err, io.EOF) || tag > tagSeries {
			break
		}
		if err != nil {
			return found, err
		}
		if tag <= last || tag>>16 < 0x0008 {
			return found, fmt.Errorf("element (%04X,%04X) out of place", tag>>16, tag&0xffff)
		}
		last = tag
		var into *string
		switch tag {
		case tagClass:
			into = &found.class
		case tagInstance:
			into = &found.instance
		case tagStudy:
			into = &found.study
		case tagSeries:
			into = &found.series
		}
		switch {
		case into != nil && n > 66:
			return found, fmt.Errorf("UID (%04X,%04X) of %d bytes", tag>>16, tag&0xffff, n)
		case into != nil:
			v := make([]byte, n)
			if _, err := io.ReadFull(k.r, v); err != nil {
				return found, errors.New("data set is cut short")
			}
			*into = trimUID(v)
		default:
			if err := k.skip(n, implicit, 0); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// element reads an element header. implicit says how the header is written;
// the result says how the elements inside its value are.
func (k *keyReader) element(implicit bool) (tag, n uint32, inside bool, err error) {
	var h [12]byte
	if _, err = io.ReadFull(k.r, h[:8]); err != nil {
		return 0, 0, false, err
	}
	tag = uint32(k.order.Uint16(h[:]))<<16 | uint32(k.order.Uint16(h[2:]))
	if implicit || tag>>16 == 0xFFFE {
		return tag, k.order.Uint32(h[4:]), implicit, nil
	}
	vr := string(h[4:6])
	if vr[0] < 'A' || vr[0] > 'Z' || vr[1] < 'A' || vr[1] > 'Z' {
		return 0, 0, false, fmt.Errorf("element (%04X,%04X) has no value representation", tag>>16, tag&0xffff)
	}
	if !longVR(vr) {
		return tag, uint32(k.order.Uint16(h[6:])), false, nil
	}
	if _, err = io.ReadFull(k.r, h[8:]); err != nil {
		return 0, 0, false, err
	}
	n = k.order.Uint32(h[8:])
	// UN of undefined length holds a sequence in implicit VR (PS3.5 section
	// 6.2.2, note on CP-246).
	return tag, n, vr == "UN" && n == undefinedLength, nil
}

// skip passes over a value, a sequence if its length is undefined.
func (k *keyReader) skip(n uint32, implicit bool, depth int) error {
	if n != undefinedLength {
		if n > maxHead {
			return fmt.Errorf("element of %d bytes before the series UID", n)
		}
		if _, err := k.r.Discard(int(n)); err != nil {
			return errors.New("data set is cut short")
		}
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("sequences nested deeper than %d", maxDepth)
	}
	for {
		tag, n, _, err := k.element(implicit)
		if err != nil {
			return fmt.Errorf("sequence: %w", err)
		}
		switch {
		case tag == tagSeqEnd:
			return nil
		case tag != tagItem:
			return fmt.Errorf("(%04X,%04X) in place of a sequence item", tag>>16, tag&0xffff)
		case n != undefinedLength:
			if err := k.skip(n, implicit, depth); err != nil {
				return err
			}
			continue
		}
		for {
			tag, n, inside, err := k.element(implicit)
			if err != nil {
				return fmt.Errorf("sequence item: %w", err)
			}
			if tag == tagItemEnd {
				break
			}
			if err := k.skip(n, inside, depth+1); err != nil {
				return err
			}
		}
	}
}
