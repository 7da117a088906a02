package loopback

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

func TestServer_Answers(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello "+r.URL.Path)
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("URL() = %q, want one of 127.0.0.1", s.URL())
	}
	if got, want := get(t, s.URL()+"/you"), "hello /you"; got != want {
		t.Errorf("body = %q, want %q", got, want)
	}
}

// Close must wait for handlers that hold their connection themselves, and their contexts must end.
func TestClose_WaitsForHijackedHandlers(t *testing.T) {
	t.Parallel()
	inside, ended := make(chan struct{}), atomic.Bool{}
	s, err := Start(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		close(inside)
		<-r.Context().Done()
		ended.Store(true)
	}))
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error)
	go func() {
		request, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL(), http.NoBody)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		answered <- err
	}()
	<-inside
	s.Close()
	if !ended.Load() {
		t.Error("Close returned before the handler did")
	}
	if err := <-answered; err == nil {
		t.Error("request was answered, want an error")
	}
	s.Close()
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
