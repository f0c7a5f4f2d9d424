package meshio

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"strconv"
)

// output gathers what is written and passes it on in blocks. It keeps the
// first error; later calls do nothing.
type output struct {
	ctx context.Context
	w   io.Writer
	buf []byte
	err error
}

const outputBlock = 1 << 16

func newOutput(ctx context.Context, w io.Writer) *output {
	return &output{ctx: ctx, w: w, buf: make([]byte, 0, outputBlock+4096)}
}

// pass hands the gathered bytes on when there are enough.
func (o *output) pass() {
	if len(o.buf) >= outputBlock {
		o.flush()
	}
}

func (o *output) flush() error {
	if o.err == nil {
		o.err = o.ctx.Err()
	}
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
	return o.err
}

func (o *output) str(s ...string) {
	for _, x := range s {
		o.buf = append(o.buf, x...)
	}
	o.pass()
}

func (o *output) bytes(b []byte) {
	if len(b) > outputBlock {
		o.flush()
		if o.err == nil {
			_, o.err = o.w.Write(b)
		}
		return
	}
	o.buf = append(o.buf, b...)
	o.pass()
}

// int writes a number after sep.
func (o *output) int(sep string, n int64) {
	o.buf = strconv.AppendInt(append(o.buf, sep...), n, 10)
	o.pass()
}

// float writes the shortest text that reads back to the same bits (at most 17
// digits) after sep.
func (o *output) float(sep string, x float64) {
	o.buf = strconv.AppendFloat(append(o.buf, sep...), x, 'g', -1, 64)
	o.pass()
}

func (o *output) u8(x byte)    { o.buf = append(o.buf, x); o.pass() }
func (o *output) u32(x uint32) { o.buf = binary.LittleEndian.AppendUint32(o.buf, x); o.pass() }
func (o *output) i32(x int32)  { o.u32(uint32(x)) }
func (o *output) u64(x uint64) { o.buf = binary.LittleEndian.AppendUint64(o.buf, x); o.pass() }
func (o *output) f32(x float32) {
	o.buf = binary.LittleEndian.AppendUint32(o.buf, math.Float32bits(x))
	o.pass()
}
func (o *output) f64(x float64) {
	o.buf = binary.LittleEndian.AppendUint64(o.buf, math.Float64bits(x))
	o.pass()
}
