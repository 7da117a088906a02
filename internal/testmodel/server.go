// Package testmodel is the scripted model server that agents of recorded cases call.
//
// The cases were recorded against a server that speaks the protocols of real
// providers (chat completions, responses, Anthropic messages, embeddings) and
// answers by rules. This server speaks the same, plain and streamed, so that the
// official clients are tested against bytes, and keeps what it was sent.
package testmodel

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/testtarget/loopback"
	"github.com/sre-go/sre/value"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 32 << 20

// Server is a running model server. It is safe for concurrent use.
type Server struct {
	loop   *loopback.Server
	source effect.Source

	mu       sync.Mutex
	script   Script
	used     []int // how often each rule has answered
	received []value.Value
}

// Start serves until Close. The source paces delayed answers. The error has the kind fault.Unavailable.
func Start(ctx context.Context, script Script, source effect.Source) (*Server, error) {
	s := &Server{script: script, source: source, used: make([]int, len(script.rules))}
	loop, err := loopback.Start(ctx, http.HandlerFunc(s.serve))
	if err != nil {
		return nil, err
	}
	s.loop = loop
	return s, nil
}

// URL returns the base address of OpenAI's protocols, which ends in "/v1". Anthropic's takes it without that.
func (s *Server) URL() string { return s.loop.URL() + "/v1" }

// SetScript starts over with another script. It may name the address of the server, which is known only once it runs.
func (s *Server) SetScript(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.used = script, make([]int, len(script.rules))
}

// Close ends the server and waits for all of it.
func (s *Server) Close() { s.loop.Close() }

// Requests returns what was received so far, in the order received: an array of {path, authorization, body} with the
// path below /v1.
func (s *Server) Requests() value.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return value.OfItems(append([]value.Value(nil), s.received...))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path, under := strings.CutPrefix(r.URL.Path, "/v1")
	p, known := protocolOf(path)
	if !under || r.Method != http.MethodPost || (!known && path != embeddingsPath) {
		writeJSON(w, http.StatusNotFound, openAIFailure(value.Obj(value.M("message", value.Of("no such route")))))
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // too long, or the client went away
	}
	body, err := value.Decode(raw, value.Limits{Bytes: maxBody, Duplicates: true})
	if err != nil {
		s.record(path, r.Header, value.Of(string(raw)))
		writeJSON(w, http.StatusBadRequest, openAIFailure(value.Obj(value.M("message", value.Of("body is not JSON")))))
		return
	}
	s.record(path, r.Header, body)
	if path == embeddingsPath {
		writeJSON(w, http.StatusOK, embeddings(body))
		return
	}
	x := p.read(body)
	answer := s.choose(x)
	if s.source.Sleep(r.Context(), answer.delay) != nil || answer.drop {
		panic(http.ErrAbortHandler) // the way of net/http to close a connection without an answer
	}
	if !answer.failure.IsAbsent() {
		status := http.StatusInternalServerError
		if n, ok := answer.failure.Get("status").Num(); ok && n >= 200 && n <= 999 {
			status = int(n)
		}
		writeJSON(w, status, p.fail(answer.failure))
		return
	}
	text, has := answer.answer(x)
	said := utterance{reply: answer, model: x.model, text: text, hasText: has, usage: x.usage}
	if !x.stream {
		writeJSON(w, http.StatusOK, p.whole(said))
		return
	}
	p.stream(&events{ctx: r.Context(), source: s.source, w: w, pause: answer.chunkDelay, abortAfter: answer.abortAfter}, said)
}

func (s *Server) record(path string, header http.Header, body value.Value) {
	authorization := header.Get("Authorization")
	if authorization == "" {
		authorization = header.Get("X-Api-Key")
	}
	entry := value.NewBuilder(3).Set("path", value.Of(path))
	if authorization != "" {
		entry.Set("authorization", value.Of(authorization))
	}
	v := entry.Set("body", body).Build()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, v)
}

// choose returns the reply of the first rule that fits and is not used up.
func (s *Server) choose(x exchange) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.script.rules {
		if (r.times < 0 || s.used[i] < r.times) && r.matches(x) {
			s.used[i]++
			return r.reply
		}
	}
	return reply{text: value.Of("OK"), abortAfter: -1}
}

func writeJSON(w http.ResponseWriter, status int, v value.Value) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(v.Append(nil)) // a client that no longer listens is no concern of ours
}
