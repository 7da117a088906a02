//go:build realmodel

package realmodel_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/realmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// serverVariable names the Ollama program; scripts/real-model sets it.
const serverVariable = "SRE_TEST_OLLAMA"

// serve starts the server with the tiny model and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	program := os.Getenv(serverVariable)
	if program == "" {
		t.Fatalf("%s is not set: run scripts/real-model", serverVariable)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tiny.gguf"), realmodel.Tiny(7), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Modelfile"), []byte("FROM ./tiny.gguf\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "HOME="+dir, "OLLAMA_HOST="+address, "OLLAMA_MODELS="+filepath.Join(dir, "models"))
	var log bytes.Buffer
	server := exec.Command(program, "serve")
	server.Env, server.Dir, server.Stdout, server.Stderr = env, dir, &log, &log
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children, which end with it
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", log.String())
		}
	})
	ready := func() error {
		resp, err := http.Get("http://" + address + "/api/version")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	for range 100 {
		if err = ready(); err == nil {
			break
		}
		if err := (effect.System{}).Sleep(t.Context(), 100*time.Millisecond); err != nil { // a process starts in its own time
			t.Fatal(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	create := exec.Command(program, "create", "tiny", "-f", "Modelfile")
	create.Env, create.Dir = env, dir
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "http://" + address
}

// talker is an agent without skills in a runtime of its own, which asks the server.
func talker(t *testing.T, base string) *sre.Agent {
	t.Helper()
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(t.TempDir()), sre.WithModelServer(base+"/v1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	doc, err := agentfile.Parse([]byte(`{"id":"talker","name":"Talker","components":[],"connections":[]}`), rt.Manager().Bounds())
	if err != nil {
		t.Fatal(err)
	}
	a, err := rt.Load(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRealServer(t *testing.T) {
	base := serve(t)
	a := talker(t, base)
	const model = "openai-compatible/tiny"
	t.Run("prompt", func(t *testing.T) {
		chat, err := a.Chat(t.Context(), sre.ChatOptions{Model: model, MaxOutput: 24, Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		pieces := 0
		for turn := range 2 {
			var end conversation.End
			for e, err := range chat.Prompt(t.Context(), sre.Prompt{Text: fmt.Sprintf("say something, %d", turn)}) {
				if err != nil {
					t.Fatal(err)
				}
				switch e := e.(type) {
				case conversation.Text:
					pieces++
				case conversation.End:
					end = e
				}
			}
			if end.Reason != llm.Length && end.Reason != llm.Stop || end.Usage.Input == 0 || end.Usage.Output == 0 {
				t.Errorf("turn %d ended with %+v, want a reason and counts", turn, end)
			}
		}
		if pieces < 2 {
			t.Errorf("the answers came in %d pieces, want a stream", pieces)
		}
	})
	t.Run("vectors", func(t *testing.T) {
		got, err := a.Services().LLM().Embed(t.Context(), llm.EmbedRequest{Model: model, Texts: []string{"one", "two words"}})
		if err != nil || len(got.Vectors) != 2 || len(got.Vectors[0]) == 0 || got.Usage.Input == 0 {
			t.Errorf("Embed() = %d vectors, %+v, %v", len(got.Vectors), got.Usage, err)
		}
	})
	t.Run("unknown model", func(t *testing.T) {
		if _, err := a.Services().LLM().Generate(t.Context(), llm.Request{Model: "openai-compatible/nobody", Messages: []llm.Message{llm.Say(llm.User, "x")}}); err == nil {
			t.Error("a model answered that is not there")
		}
	})
	t.Run("cancel", func(t *testing.T) { // F11: the server stops, and is free for the next one
		chat, err := a.Chat(t.Context(), sre.ChatOptions{Model: model, MaxOutput: 2000})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var failed error
		for e, err := range chat.Prompt(ctx, sre.Prompt{Text: "say a lot"}) {
			failed = err
			if _, ok := e.(conversation.Text); ok {
				cancel()
			}
		}
		cancel()
		if failed == nil {
			t.Error("the answer came to its end")
		}
		short, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		if _, err := a.Services().LLM().Generate(short, llm.Request{Model: model, MaxTokens: 4, Messages: []llm.Message{llm.Say(llm.User, "x")}}); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}
