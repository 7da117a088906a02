package childprocess

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func shell(t *testing.T) string {
	t.Helper()
	const path = "/bin/sh"
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the test needs %s: %v", path, err)
	}
	return path
}

func TestProcess(t *testing.T) {
	t.Parallel()
	p, err := Start(t.Context(), Command{Path: shell(t), Args: []string{"-c", `read line; echo "$0 got $line, $A, ${HOME-none}"; echo oops >&2`, "$(x); y"}, Env: []string{"A=1 2"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p, "hello\n"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(p)
	if want := "$(x); y got hello, 1 2, none\n"; err != nil || string(text) != want {
		t.Errorf("it said %q, %v; want %q", text, err, want)
	}
	<-p.Done()
	if err := p.Ended(); err == nil || !strings.Contains(err.Error(), "it ended: oops") {
		t.Errorf("Ended = %v, want what it wrote to standard error", err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestT56_NothingInherited: the environment of this program, where its secrets are, is not that of another.
func TestT56_NothingInherited(t *testing.T) {
	t.Setenv("SRE_CHILD_CANARY", "canary")
	p, err := Start(t.Context(), Command{Path: shell(t), Args: []string{"-c", "echo [$SRE_CHILD_CANARY]"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if line, err := bufio.NewReader(p).ReadString('\n'); line != "[]\n" {
		t.Errorf("the program says %q, %v; want it to know nothing", line, err)
	}
}

func TestProcess_Killed(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"close", "context"} {
		ctx, cancel := context.WithCancel(t.Context())
		// It does not heed the end of its input, and neither does what it starts.
		p, err := Start(ctx, Command{Path: shell(t), Args: []string{"-c", "trap '' TERM INT; echo up; while :; do /bin/sleep 60; done"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(p).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if p.Ended() != nil {
			t.Errorf("%s: it ended by itself: %v", how, p.Ended())
		}
		if how == "context" {
			cancel()
			<-p.Done()
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := p.Ended(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
			t.Errorf("%s: Ended = %v, want it killed", how, err)
		}
	}
}

func TestStart_Fails(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Command{Path: "no-such-program-anywhere"})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("Start = %v, want NotFound", err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	var l tail
	for range 100 {
		if _, err := l.Write([]byte(strings.Repeat("x", 100))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte("end")); err != nil || len(l.text()) != kept || !strings.HasSuffix(l.text(), "xend") {
		t.Errorf("%d bytes are kept, want the last %d", len(l.text()), kept)
	}
	if _, err := l.Write(make([]byte, 3*kept)); err != nil || len(l.text()) != kept {
		t.Errorf("%d bytes are kept of a long line, want %d", len(l.text()), kept)
	}
}
