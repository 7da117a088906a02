package httpserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// shelf answers the paths below /storage/.
type shelf struct{}

func (shelf) Serves(path string) bool { return strings.HasPrefix(path, "/storage/") }

func (shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }

// Public files are answered without the token; everything else as it was.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := &Server{cfg: Config{Files: shelf{}}}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/storage/x", nil))
	if rec.Code != http.StatusOK || rec.Body.String() != "/storage/x" {
		t.Errorf("a public file: status %d, %q", rec.Code, rec.Body)
	}
}
