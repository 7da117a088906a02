package httpserver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/httpserver"
)

func TestServeUntil(t *testing.T) {
	t.Parallel()
	ln, err := httpserver.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came, ended := make(chan struct{}), make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(came)
		_, _ = io.WriteString(w, "thank you")
	})
	go func() { ended <- httpserver.ServeUntil(t.Context(), ln, h, came) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil || string(text) != "thank you" {
		t.Errorf("the last answer is %q, %v, want all of it", text, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ServeUntil = %v", err)
	}
	if err := httpserver.ServeUntil(t.Context(), ln, h, make(chan struct{})); !fault.Is(err, fault.Unavailable) {
		t.Errorf("on a listener that is closed: %v, want kind %v", err, fault.Unavailable)
	}
}

func TestServeUntil_Canceled(t *testing.T) {
	t.Parallel()
	ln, err := httpserver.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	late := errors.New("nobody came")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(late)
	if err := httpserver.ServeUntil(ctx, ln, http.NotFoundHandler(), nil); !errors.Is(err, late) {
		t.Errorf("ServeUntil = %v, want the cause", err)
	}
}
