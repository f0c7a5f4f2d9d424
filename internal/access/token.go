package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// tokenBytes is the entropy of a token: 256 bits.
const tokenBytes = 32

// Tokens holds the bearer tokens of a running service, as hashes.
type Tokens struct {
	mu   sync.RWMutex // guards held
	held []issued
}

type issued struct {
	hash [sha256.Size]byte
	id   Identity
}

// Issue makes a fresh token for id and writes it to the file path with mode
// 0600, replacing an earlier one; its folder is made with mode 0700. The file
// is complete or absent at any time. A token is valid for the life of t.
func (t *Tokens) Issue(path string, id Identity) error {
	if err := id.Validate(); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	raw := make([]byte, tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	if err := writeSecret(path, token+"\n"); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = append(t.held, issued{sha256.Sum256([]byte(token)), id})
	return nil
}

// Authenticate returns who the value of an Authorization header belongs to,
// or ErrUnauthenticated. The time it takes does not depend on how much of a
// wrong token is right.
func (t *Tokens) Authenticate(header string) (Identity, error) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(token) > 4096 {
		return Identity{}, ErrUnauthenticated
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
	t.mu.RLock()
	defer t.mu.RUnlock()
	found := -1
	for i := range t.held {
		if subtle.ConstantTimeCompare(hash[:], t.held[i].hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Identity{}, ErrUnauthenticated
	}
	return t.held[found].id, nil
}

// ReadToken reads a token file for use by a client. It refuses a file that
// others may read.
func ReadToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if p := info.Mode().Perm(); p&0o077 != 0 && permissions {
		return "", fmt.Errorf("token file %s has mode %04o: others can read it; run chmod 600 on it, or restart the service for a new one",
			filepath.Base(path), p)
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != tokenBytes {
		return "", fmt.Errorf("%s holds no token", filepath.Base(path))
	}
	return token, nil
}

// permissions tells whether file modes mean something here.
var permissions = runtime.GOOS != "windows" && runtime.GOOS != "js"

// writeSecret writes a file that only its owner can read: temporary file,
// sync, rename, sync of the folder.
func writeSecret(path, content string) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".token-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(f.Name()))
		}
	}()
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

func removeIfThere(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
