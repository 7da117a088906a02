package cli

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/value"
)

// served runs `sre serve` until the test ends and returns its announcement.
func served(t *testing.T, dir string, args ...string) value.Value {
	t.Helper()
	out, in := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		m := Machine{In: strings.NewReader(""), Out: in, Err: &errs, Work: dir, Getenv: func(string) string { return "" }}
		code := Main(ctx, std.Set(), m, append([]string{"serve", "--listen", "127.0.0.1:0", "--json"}, args...))
		_ = in.Close()
		done <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != 0 && code != 130 {
			t.Errorf("exit %d, %s", code, errs.String())
		}
	})
	text := make([]byte, 64<<10)
	n, err := out.Read(text)
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	said, err := value.Parse(string(text[:n]))
	if err != nil {
		t.Fatalf("%v: %s", err, text[:n])
	}
	return said
}

// A file that an agent publishes can be opened at the address that it was given, without the token, and at no other.
func TestServe_PublicFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	agent, err := os.ReadFile("../../examples/notes.smyth")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.smyth"), agent, 0o600); err != nil {
		t.Fatal(err)
	}
	said := served(t, dir, "notes.smyth")
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "note.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, "a note"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	ask := func(method, address, token, contentType string, body io.Reader) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, body)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		r.Header.Set("Content-Type", contentType)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(text)
	}
	_, text := ask(http.MethodPost, said.GetString("url")+"/api/publish", said.GetString("token"), w.FormDataContentType(), &form)
	answer, err := value.Parse(text)
	address := answer.GetString("address")
	if err != nil || !strings.HasPrefix(address, said.GetString("url")+"/storage/") {
		t.Fatalf("published at %s, want an address below %s", text, said.GetString("url"))
	}
	resp, text := ask(http.MethodGet, address, "", "", nil)
	if resp.StatusCode != http.StatusOK || text != "a note" || resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file: %d %q with %v", resp.StatusCode, text, resp.Header)
	}
	other := strings.Replace(address, "/storage/f56001/", "/storage/f56001/0", 1)
	if resp, _ := ask(http.MethodGet, other, "", "", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another address: %d, want %d", resp.StatusCode, http.StatusNotFound)
	}
}

// Behind a proxy the addresses begin with what the operator says.
func TestServe_PublicURL(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	r.flags.public = "https://agents.example.com"
	rt, _, _, err := r.boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, agent := range r.rt.Manager().Agents() {
		if base, err := rt.As(agent.Candidate()).Router().Base(t.Context()); err != nil || base != "https://agents.example.com" {
			t.Errorf("addresses begin with %q, %v", base, err)
		}
	}
}
