package deck

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

// tens are the powers of ten that a float64 holds exactly.
var tens = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseFloat reads a finite decimal number, correctly rounded. Whole digits up
// to 2⁵³ times an exact power of ten need one operation (W. D. Clinger, How to
// read floating point numbers accurately, PLDI 1990); the rest goes to strconv.
// Fortran's exponent D is understood.
func parseFloat(b []byte) (float64, bool) {
	var m uint64
	i, exp, digits := 0, 0, 0
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	dot := -1
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c <= 9 {
			if m < 1<<59 {
				m = 10*m + uint64(c)
			} else {
				return slowFloat(b)
			}
			digits++
			continue
		}
		if b[i] != '.' || dot >= 0 {
			break
		}
		dot = digits
	}
	if digits == 0 {
		return 0, false
	}
	if dot >= 0 {
		exp = dot - digits
	}
	if i < len(b) {
		switch b[i] {
		case 'e', 'E', 'd', 'D':
			i++
		case '+', '-': // Fortran: 1.0-5
		default:
			return slowFloat(b)
		}
		e, eneg := 0, false
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			eneg = b[i] == '-'
			i++
		}
		if i == len(b) || len(b)-i > 5 {
			return slowFloat(b)
		}
		for ; i < len(b); i++ {
			c := b[i] - '0'
			if c > 9 {
				return 0, false
			}
			e = 10*e + int(c)
		}
		if eneg {
			e = -e
		}
		exp += e
	}
	x := float64(m)
	switch {
	case m == 0:
	case m >= 1<<53 || exp > 22 || exp < -22:
		return slowFloat(b)
	case exp > 0:
		x *= tens[exp]
	case exp < 0:
		x /= tens[-exp]
	}
	if neg {
		x = -x
	}
	return x, true
}

func slowFloat(b []byte) (float64, bool) {
	if len(b) > 400 {
		return 0, false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '+' && c != '-' && c != 'e' && c != 'E' && c != 'd' && c != 'D' {
			return 0, false
		}
	}
	s := unsafe.String(unsafe.SliceData(b), len(b))
	if n := bytes.LastIndexAny(b, "+-"); n > 0 && b[n-1] <= '9' && b[n-1] >= '.' {
		s = string(b[:n]) + "e" + string(b[n:])
	} else if n := bytes.IndexAny(b, "dD"); n >= 0 {
		s = string(b[:n]) + "e" + string(b[n+1:])
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// parseInt reads a decimal whole number of up to 18 digits.
func parseInt(b []byte) (int64, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}
