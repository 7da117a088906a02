package publicfile

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

// Handler serves the addresses. It is safe for concurrent use.
type Handler struct {
	as func(access.Candidate) scope.Scope
}

// NewHandler returns a handler. as binds the services of the runtime to a candidate.
func NewHandler(as func(access.Candidate) scope.Scope) *Handler { return &Handler{as: as} }

// Serves reports whether a path is one of the addresses, for a server that answers other paths itself.
func (h *Handler) Serves(path string) bool {
	return strings.HasPrefix(path, TemporaryPath) || strings.HasPrefix(path, ResourcePath)
}

// ServeHTTP sends a file to anybody. An address that is wrong, has ended, or stands for a file that is gone or that its
// owner may no longer read is the same 404. A browser is told to save the file and to run nothing of it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "private, no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	body, size, kind, ok := h.find(r.Context(), r.URL.Path)
	if !ok {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "Not Found\n") // a client that went away misses two words
		return
	}
	defer func() { _ = body.Close() }() // it was read as far as anybody wanted
	if kind == "" {
		kind = "application/octet-stream"
	}
	header.Set("Content-Type", kind)
	header.Set("Content-Disposition", "attachment")
	send(w, r, body, size)
}

// send writes a file: a small one in the parts that are asked for, a large one as a whole.
func send(w http.ResponseWriter, r *http.Request, body io.Reader, size int64) {
	if size >= 0 && size <= int64(limits.Default().ResponseBytes) {
		data, err := io.ReadAll(io.LimitReader(body, size))
		if err != nil {
			http.Error(w, "Internal Server Error", http.StatusInternalServerError)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return
	}
	if size >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, body) // what breaks now the client sees by the length
	}
}

// find opens the file of an address.
func (h *Handler) find(ctx context.Context, at string) (body io.ReadCloser, size int64, kind string, ok bool) {
	key, ok := keyOf(at)
	if !ok {
		return nil, 0, "", false
	}
	public := h.as(access.Public()).Cache()
	entry, ok, err := public.Get(ctx, key)
	if err != nil || !ok {
		return nil, 0, "", false
	}
	owner, ok := ownerOf(entry)
	if !ok {
		return nil, 0, "", false
	}
	acl, err := public.ACL(ctx, key)
	if err != nil || acl.Rights(owner)&access.RightOwner == 0 {
		return nil, 0, "", false // an entry speaks for the one who made it and for nobody else
	}
	object, err := h.as(owner).Storage().Open(ctx, entry.GetString(memberName))
	if err != nil {
		return nil, 0, "", false
	}
	return object.Body, object.Size, entry.GetString(memberType), true
}

// keyOf returns the entry of the cache that an address names.
func keyOf(at string) (string, bool) {
	prefix := keyTemporary
	rest, ok := strings.CutPrefix(at, TemporaryPath+place+"/")
	if !ok {
		prefix = keyResource
		if rest, ok = strings.CutPrefix(at, ResourcePath+place+"/"); ok {
			rest = strings.TrimSuffix(rest, path.Ext(rest))
		}
	}
	return prefix + rest, ok && validID(rest)
}

// ownerOf returns the candidate that an entry names.
func ownerOf(entry value.Value) (access.Candidate, bool) {
	c, err := access.Parse(entry.GetString(memberCandidate))
	return c, err == nil && c.Role() != access.RolePublic
}
