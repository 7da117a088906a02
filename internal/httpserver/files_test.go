package httpserver

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// shelf answers the paths below /storage/.
type shelf struct{}

func (shelf) Serves(path string) bool { return strings.HasPrefix(path, "/storage/") }

func (shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }

// Public files are answered without the token, to pages of other sites too, but under the names of this server only. What
// the server logs does not hold their addresses.
func TestFiles(t *testing.T) {
	t.Parallel()
	w := serve(t, func(c *Config) { c.Files = shelf{} })
	for _, headers := range [][]string{{"Authorization:"}, {"Authorization:", "Sec-Fetch-Site: cross-site", "Origin: https://other.test"}} {
		if got := w.do(http.MethodGet, "/storage/secret-id", "", headers...); got.status != http.StatusOK || got.body != "/storage/secret-id" {
			t.Errorf("a public file with %q: status %d, %q", headers, got.status, got.body)
		}
	}
	if got := w.do(http.MethodGet, "/storage/secret-id", "", "Host: evil.test"); got.status != http.StatusForbidden {
		t.Errorf("under another name: status %d, want %d", got.status, http.StatusForbidden)
	}
	if strings.Contains(w.log.String(), "secret-id") {
		t.Errorf("the log holds the address of a file: %s", w.log.String())
	}
}
