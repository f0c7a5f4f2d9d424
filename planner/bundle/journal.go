package bundle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"halsted/planner"
	"halsted/planner/uncertainty"
)

// A line of the journal is the CRC-32C of the sample's JSON in eight hex
// digits, a space, the JSON, a newline.
const checksumLen = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const maxLine = 1 << 20 // bytes; a sample has tens of numbers

// load reads the journal into memory.
func (b *Bundle) load() error {
	r := bufio.NewReaderSize(b.journal, maxLine)
	var end int64
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			// What follows the last newline was being written when the run stopped.
			if err := b.journal.Truncate(end); err != nil {
				return fmt.Errorf("bundle: %w", err)
			}
			_, err := b.journal.Seek(end, io.SeekStart)
			return err
		}
		if err != nil {
			return &DamagedError{samplesFile, n, err.Error()}
		}
		s, err := parseLine(line[:len(line)-1])
		if err != nil {
			return &DamagedError{samplesFile, n, err.Error()}
		}
		b.samples[key{s.Plan, s.Level, s.Index}] = s
		end += int64(len(line))
	}
}

func parseLine(line []byte) (s uncertainty.Sample, err error) {
	if len(line) < checksumLen+1 || line[checksumLen] != ' ' {
		return s, errors.New("no checksum")
	}
	sum, err := strconv.ParseUint(string(line[:checksumLen]), 16, 32)
	if err != nil {
		return s, errors.New("no checksum")
	}
	body := line[checksumLen+1:]
	if crc32.Checksum(body, castagnoli) != uint32(sum) {
		return s, errors.New("the checksum does not fit")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err = d.Decode(&s)
	return s, err
}

// Find is a sample that was finished before.
func (b *Bundle) Find(plan string, level planner.Level, index int) (uncertainty.Sample, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.samples[key{plan, level, index}]
	return s, ok
}

// Len is the number of finished samples.
func (b *Bundle) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.samples)
}

// Keep adds a finished sample and syncs it to disk.
func (b *Bundle) Keep(s uncertainty.Sample) error {
	j, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("bundle: sample %d of plan %s: %w", s.Index, s.Plan, err)
	}
	line := fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(j, castagnoli), j)
	if len(line) > maxLine {
		return fmt.Errorf("bundle: sample %d of plan %s takes %d bytes, more than %d", s.Index, s.Plan, len(line), maxLine)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.journal.Write(line); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if err := b.journal.Sync(); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	b.samples[key{s.Plan, s.Level, s.Index}] = s
	return nil
}
