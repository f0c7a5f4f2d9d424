package dicomfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Set gives an element its values, with the VR of the dictionary. Values are
// string, int, float64, []byte or *Dataset (one sequence item each), or slices
// of these; none makes an empty element. Numbers for text VRs (IS, DS) are
// formatted, at most 16 characters. A value that does not fit its VR is an
// error and leaves the dataset as it was. Errors do not quote text values.
func (d *Dataset) Set(t Tag, values ...any) error {
	vr := dictionaryVR(t)
	if vr == "" || vr == "NA" {
		return fmt.Errorf("dicomfile: %v is not in the dictionary; use SetVR", t)
	}
	if t == PixelData {
		if vr = "OW"; d.bitsAllocated() <= 8 {
			vr = "OB"
		}
	}
	if usOrSS(t) {
		if signed, _ := d.Int(PixelRepresentation); signed == 1 {
			vr = "SS"
		}
	}
	return d.SetVR(t, vr, values...)
}

func (d *Dataset) bitsAllocated() int {
	if b, ok := d.Int(BitsAllocated); ok {
		return b
	}
	return 16
}

// SetVR is Set with a stated VR, for private elements.
func (d *Dataset) SetVR(t Tag, vr string, values ...any) error {
	if t.Group == 0xfffe || t.Group < 8 && t.Group != 2 {
		return fmt.Errorf("dicomfile: %v is not an attribute of an object", t)
	}
	value, err := convert(vr, values)
	if err != nil {
		return fmt.Errorf("dicomfile: %s: %w", t.Name(), err)
	}
	d.put(element{t, vr, value})
	return nil
}

// SetFragments stores compressed pixel data (PS3.5 annex A.4) in the given
// transfer syntax, which Write then keeps. The basic offset table is empty.
func (d *Dataset) SetFragments(transferSyntax string, fragments ...[]byte) {
	d.syntax = transferSyntax
	d.put(element{PixelData, "OB", append([][]byte{nil}, fragments...)})
}

func convert(vr string, values []any) (any, error) {
	flat := make([]any, 0, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case []string:
			flat = appendAny(flat, v)
		case []int:
			flat = appendAny(flat, v)
		case []float64:
			flat = appendAny(flat, v)
		case []*Dataset:
			flat = appendAny(flat, v)
		default:
			flat = append(flat, v)
		}
	}
	switch kindOf(vr) {
	case kindText:
		out := make([]string, len(flat))
		for n, v := range flat {
			s, err := formatText(vr, v)
			if err != nil {
				return nil, err
			}
			out[n] = s
		}
		if len(out) > 1 && singleText(vr) {
			return nil, fmt.Errorf("VR %s holds one value, got %d", vr, len(out))
		}
		return out, nil
	case kindInt:
		out := make([]int, len(flat))
		for n, v := range flat {
			i, ok := v.(int)
			lo, hi := intRange(vr)
			if !ok || i < lo || i > hi {
				return nil, fmt.Errorf("value %d is not a whole number in %d…%d (VR %s)", n+1, lo, hi, vr)
			}
			out[n] = i
		}
		return out, nil
	case kindFloat:
		out := make([]float64, len(flat))
		for n, v := range flat {
			switch v := v.(type) {
			case int:
				out[n] = float64(v)
			case float64:
				out[n] = v
			default:
				return nil, fmt.Errorf("value %d is a %T, want a number (VR %s)", n+1, v, vr)
			}
			if math.IsNaN(out[n]) || math.IsInf(out[n], 0) {
				return nil, fmt.Errorf("value %d is not finite", n+1)
			}
		}
		return out, nil
	case kindSequence:
		out := make([]*Dataset, len(flat))
		for n, v := range flat {
			item, ok := v.(*Dataset)
			if !ok || item == nil {
				return nil, fmt.Errorf("item %d is a %T, want *Dataset", n+1, v)
			}
			out[n] = item
		}
		return out, nil
	case kindBytes:
		if len(flat) == 0 {
			return []byte{}, nil
		}
		b, ok := flat[0].([]byte)
		if !ok || len(flat) != 1 {
			return nil, fmt.Errorf("want one []byte (VR %s)", vr)
		}
		return b, nil
	}
	return nil, fmt.Errorf("unknown VR %q", vr)
}

func appendAny[T any](dst []any, v []T) []any {
	for _, x := range v {
		dst = append(dst, x)
	}
	return dst
}

type kind uint8

const (
	kindUnknown kind = iota
	kindText
	kindInt
	kindFloat
	kindSequence
	kindBytes
)

// kindOf sorts the VRs of PS3.5 table 6.2-1 by the Go value they hold.
func kindOf(vr string) kind {
	switch vr {
	case "AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT":
		return kindText
	case "US", "SS", "UL", "SL", "AT":
		return kindInt
	case "FL", "FD":
		return kindFloat
	case "SQ":
		return kindSequence
	case "OB", "OW", "OD", "OF", "OL", "OV", "SV", "UV", "UN":
		return kindBytes
	}
	return kindUnknown
}

// singleText reports the VRs whose text may contain a backslash and is never
// split into values.
func singleText(vr string) bool { return vr == "LT" || vr == "ST" || vr == "UT" || vr == "UR" }

func intRange(vr string) (lo, hi int) {
	switch vr {
	case "US", "AT":
		return 0, math.MaxUint16
	case "SS":
		return math.MinInt16, math.MaxInt16
	case "UL":
		return 0, math.MaxUint32
	}
	return math.MinInt32, math.MaxInt32
}

// intSize is the width of one value of an integer VR; AT counts as two values.
func intSize(vr string) int {
	if vr == "UL" || vr == "SL" {
		return 4
	}
	return 2
}

func floatSize(vr string) int {
	if vr == "FL" {
		return 4
	}
	return 8
}

// maxText is the longest value of a text VR in characters (PS3.5 table 6.2-1);
// 0 means no limit of its own.
var maxText = map[string]int{
	"AE": 16, "AS": 4, "CS": 16, "DA": 8, "DS": 16, "DT": 26, "IS": 12, "LO": 64,
	"LT": 10240, "PN": 3*64 + 2, "SH": 16, "ST": 1024, "TM": 14, "UI": 64,
}

func formatText(vr string, v any) (string, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case int:
		if vr != "IS" && vr != "DS" {
			return "", fmt.Errorf("a number cannot be a %s", vr)
		}
		s = strconv.Itoa(v)
	case float64:
		if vr != "DS" {
			return "", fmt.Errorf("a fraction cannot be a %s", vr)
		}
		var ok bool
		if s, ok = FormatDS(v); !ok {
			return "", fmt.Errorf("number is not finite")
		}
	default:
		return "", fmt.Errorf("a %T cannot be a %s", v, vr)
	}
	return s, checkText(vr, s)
}

// FormatDS writes a decimal string of at most 16 characters (PS3.5 section
// 6.2): exact when 16 suffice, else rounded as little as possible. ok is false
// for NaN and infinities.
func FormatDS(v float64) (s string, ok bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "", false
	}
	if s = strconv.FormatFloat(v, 'f', -1, 64); len(s) <= 16 {
		return s, true
	}
	best, worst := "", math.Inf(1)
	for prec := 16; prec >= 0; prec-- {
		for _, form := range []byte{'f', 'g'} {
			s := strconv.FormatFloat(v, form, prec, 64)
			f, err := strconv.ParseFloat(s, 64)
			if err == nil && len(s) <= 16 && math.Abs(f-v) < worst {
				best, worst = s, math.Abs(f-v)
			}
		}
	}
	return best, true
}

func checkText(vr, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("text is not UTF-8")
	}
	if limit := maxText[vr]; limit > 0 && utf8.RuneCountInString(s) > limit {
		return fmt.Errorf("text has %d characters, VR %s allows %d", utf8.RuneCountInString(s), vr, limit)
	}
	free := vr == "LT" || vr == "ST" || vr == "UT"
	for _, r := range s {
		if r == '\\' && !singleText(vr) {
			return fmt.Errorf("text contains a backslash, which separates values")
		}
		if r < ' ' && !(free && (r == '\t' || r == '\n' || r == '\f' || r == '\r')) {
			return fmt.Errorf("text contains control character %U", r)
		}
	}
	if s == "" {
		return nil
	}
	bad := false
	switch vr {
	case "UI":
		bad = !validUID(s)
	case "CS":
		bad = strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _") != ""
	case "DS":
		_, ok := parseDecimal(s)
		bad = !ok
	case "IS":
		_, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
		bad = err != nil
	case "DA":
		bad = len(s) != 8 || strings.Trim(s, "0123456789") != ""
	case "TM":
		bad = len(s) < 2 || strings.Trim(s, "0123456789.") != ""
	case "AS":
		bad = len(s) != 4 || strings.Trim(s[:3], "0123456789") != "" || !strings.Contains("DWMY", s[3:])
	}
	if bad {
		return fmt.Errorf("text is not a valid %s (PS3.5 section 6.2)", vr)
	}
	return nil
}

// validUID checks PS3.5 section 9.1: at most 64 characters, numeric components
// without leading zeros.
func validUID(s string) bool {
	if len(s) > 64 {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || len(part) > 1 && part[0] == '0' || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}
