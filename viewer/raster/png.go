package raster

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
)

// EncodePNG writes a picture with text entries (keyword, text) that say where
// it comes from; they travel with the file. Keywords are 1 to 79 Latin-1
// characters, texts Latin-1 (PNG specification, third edition, 11.3.3.2 tEXt).
// There is no time of writing in the file: the same input gives the same bytes.
func EncodePNG(w io.Writer, img image.Image, text [][2]string) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("raster: %w", err)
	}
	var chunks []byte
	for _, t := range text {
		key, err := latin1(t[0])
		if err != nil || len(key) < 1 || len(key) > 79 {
			return fmt.Errorf("raster: PNG keyword %q is not 1 to 79 Latin-1 characters", t[0])
		}
		value, err := latin1(t[1])
		if err != nil {
			return fmt.Errorf("raster: PNG text of %s: %w", t[0], err)
		}
		body := append(append(append([]byte("tEXt"), key...), 0), value...)
		chunks = binary.BigEndian.AppendUint32(chunks, uint32(len(body)-4))
		chunks = append(chunks, body...)
		chunks = binary.BigEndian.AppendUint32(chunks, crc32.ChecksumIEEE(body))
	}
	const head = 8 + 4 + 4 + 13 + 4 // signature and IHDR chunk, always first
	for _, part := range [][]byte{b.Bytes()[:head], chunks, b.Bytes()[head:]} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("raster: %w", err)
		}
	}
	return nil
}

func latin1(s string) ([]byte, error) {
	var out []byte
	for _, r := range s {
		if r == 0 || r > 255 {
			return nil, fmt.Errorf("%U is not a Latin-1 character", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}
