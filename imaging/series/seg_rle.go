package series

import (
	"encoding/binary"
	"errors"
)

var errRLE = errors.New("the RLE data is damaged; fetch the file again")

// unRLE undoes RLE Lossless (PS3.5 annex G): a header of up to 15 segment
// offsets, one segment for each byte of a sample, most significant first, each
// a PackBits stream. It returns size bytes, samples of width bytes in
// little-endian order.
func unRLE(src []byte, size, width int) ([]byte, error) {
	if len(src) < 64 || size%width != 0 {
		return nil, errRLE
	}
	if n := binary.LittleEndian.Uint32(src); n != uint32(width) {
		return nil, errRLE
	}
	out := make([]byte, size)
	for seg := range width {
		lo := int64(binary.LittleEndian.Uint32(src[4+4*seg:]))
		hi := int64(len(src))
		if seg+1 < width {
			hi = int64(binary.LittleEndian.Uint32(src[8+4*seg:]))
		}
		if lo < 64 || lo > hi || hi > int64(len(src)) {
			return nil, errRLE
		}
		if !unpackBits(out[width-1-seg:], src[lo:hi], width, size/width) {
			return nil, errRLE
		}
	}
	return out, nil
}

// unpackBits writes count bytes to every stride-th place of dst.
func unpackBits(dst, src []byte, stride, count int) bool {
	n := 0
	for n < count {
		if len(src) == 0 {
			return false
		}
		c := int(int8(src[0]))
		src = src[1:]
		switch {
		case c >= 0: // the next c+1 bytes
			if len(src) < c+1 || n+c+1 > count {
				return false
			}
			for _, b := range src[:c+1] {
				dst[n*stride] = b
				n++
			}
			src = src[c+1:]
		case c != -128: // the next byte 1-c times
			if len(src) < 1 || n+1-c > count {
				return false
			}
			for range 1 - c {
				dst[n*stride] = src[0]
				n++
			}
			src = src[1:]
		}
	}
	return true
}

// packRLE is the inverse of unRLE. Rows of row samples start new runs, as
// annex G.3.1 asks.
func packRLE(samples []byte, width, row int) []byte {
	out := make([]byte, 64)
	binary.LittleEndian.PutUint32(out, uint32(width))
	count := len(samples) / width
	plane := make([]byte, count)
	for seg := range width {
		binary.LittleEndian.PutUint32(out[4+4*seg:], uint32(len(out)))
		for n := range plane {
			plane[n] = samples[n*width+width-1-seg]
		}
		for at := 0; at < count; at += row {
			out = packBits(out, plane[at:min(at+row, count)])
		}
		if len(out)%2 == 1 {
			out = append(out, 0)
		}
	}
	return out
}

func packBits(dst, src []byte) []byte {
	for len(src) > 0 {
		run := 1
		for run < len(src) && run < 128 && src[run] == src[0] {
			run++
		}
		if run >= 2 {
			dst = append(dst, byte(1-run), src[0])
			src = src[run:]
			continue
		}
		n := 1
		for n < len(src) && n < 128 && !(n+1 < len(src) && src[n] == src[n+1]) {
			n++
		}
		dst = append(append(dst, byte(n-1)), src[:n]...)
		src = src[n:]
	}
	return dst
}
