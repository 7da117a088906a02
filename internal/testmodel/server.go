// Package testmodel is the scripted model server: agents can be tried, tested and broken without a provider.
//
// It speaks the protocols of real providers (chat completions, responses, Anthropic messages, Bedrock's Converse, Gemini,
// Ollama, Runware, embeddings), plain and streamed, and answers by rules, so that the official clients are tested against bytes. The
// cases that were recorded from the reference use its first rules; the rest of them are faults: slowness, answers that
// break off or stand still, garbage, refusals and hostile tool calls. The same script, seed and order of requests give
// the same answers. It keeps what it was sent.
package testmodel

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/testtarget/loopback"
	"github.com/sre-go/sre/value"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 32 << 20

// Config says how a server answers. Effects is required.
type Config struct {
	Script Script
	// Effects paces answers.
	Effects effect.Source
	// Seed decides what the script leaves to chance.
	Seed uint64
	// Listener is where requests come in, nil for a free port of 127.0.0.1. The server closes it.
	Listener net.Listener
	// Seen is told of every request with its answer, one at a time; nil for nobody.
	Seen func(Exchange)
}

// Server is a running model server. It is safe for concurrent use.
type Server struct {
	loop *loopback.Server
	c    Config

	mu       sync.Mutex
	script   Script
	used     []int // how often each rule has answered
	count    int   // requests for an answer so far
	received []value.Value

	telling sync.Mutex
}

// Start serves until Close. The source paces delayed answers. The error has the kind fault.Unavailable.
func Start(ctx context.Context, script Script, source effect.Source) (*Server, error) {
	return Serve(ctx, Config{Script: script, Effects: source})
}

// Serve serves until Close. The error has the kind fault.Unavailable.
func Serve(ctx context.Context, c Config) (*Server, error) {
	s := &Server{c: c}
	s.SetScript(c.Script)
	var err error
	if c.Listener != nil {
		s.loop = loopback.Serve(ctx, c.Listener, http.HandlerFunc(s.serve))
	} else if s.loop, err = loopback.Start(ctx, http.HandlerFunc(s.serve)); err != nil {
		return nil, err
	}
	return s, nil
}

// URL returns the base address of OpenAI's protocols, which ends in "/v1". Those of the others are below
// [Server.Root].
func (s *Server) URL() string { return s.loop.URL() + version }

// Root returns the address without a path.
func (s *Server) Root() string { return s.loop.URL() }

// SetScript starts over with another script. It may name the address of the server, which is known only once it runs.
func (s *Server) SetScript(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.used, s.count = script, make([]int, len(script.rules)), 0
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
	p, known := protocolOf(r.URL.Path)
	vectors, embeds := vectorsOf(r.URL.Path)
	if r.Method != http.MethodPost || !known && !embeds {
		writeJSON(w, http.StatusNotFound, openAIFailure(value.Obj(value.M("message", value.Of("no such route")))))
		return
	}
	path := r.URL.Path
	if strings.HasPrefix(path, version+"/") {
		path = path[len(version):]
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
	if embeds {
		writeJSON(w, http.StatusOK, vectors(body))
		return
	}
	x := p.read(body)
	answer, rule, n := s.choose(x)
	s.tell(Exchange{N: n, Path: path, Model: x.model, Stream: x.stream, Role: x.last("").role, Rule: rule, Answer: answer.kind()})
	if s.c.Effects.Sleep(r.Context(), answer.delay) != nil || answer.drop {
		panic(http.ErrAbortHandler) // the way of net/http to close a connection without an answer
	}
	if answer.retryAfter != "" {
		w.Header().Set("Retry-After", answer.retryAfter)
	}
	out := &faulty{ResponseWriter: w, ctx: r.Context(), left: answer.cutBytes, stall: answer.stall}
	if answer.stall && answer.cutBytes < 0 && answer.abortAfter < 0 {
		out.halt()
	}
	switch {
	case !answer.raw.IsAbsent():
		out.Header().Set("Content-Type", answer.contentType)
		out.WriteHeader(answer.status)
		_, _ = io.WriteString(out, answer.raw.Plain()) // a client that no longer listens is no concern of ours
	case !answer.failure.IsAbsent() && (answer.cryAfter < 0 || !x.stream):
		if kind := answer.failure.GetString("type"); kind != "" && p.errorHeader != "" {
			out.Header().Set(p.errorHeader, kind)
		}
		writeJSON(out, answer.status, p.fail(answer.failure))
	default:
		text, has := answer.answer(x, s.c.Seed, n)
		s.speak(out, r, p, utterance{reply: answer.counted(n), model: x.model, text: text, hasText: has, usage: x.usage, stream: x.stream})
	}
}

// speak says an answer in a protocol, whole or in pieces.
func (s *Server) speak(out *faulty, r *http.Request, p protocol, said utterance) {
	if !said.stream {
		writeJSON(out, http.StatusOK, p.whole(said))
		return
	}
	e := &events{ctx: r.Context(), source: s.c.Effects, w: out, pause: said.chunkDelay, abortAfter: said.abortAfter, cryAfter: said.cryAfter, mute: said.mute}
	e.cry = func() { p.cry(e, said.failure) }
	p.stream(e, said)
}

func (s *Server) record(path string, header http.Header, body value.Value) {
	authorization := ""
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
		if authorization == "" {
			authorization = header.Get(name)
		}
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

// choose returns the reply of the first rule that fits and is not used up, its number, or -1 for the usual reply, and
// the number of the request, from 1.
func (s *Server) choose(x exchange) (answer reply, rule, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	for i, r := range s.script.rules {
		if (r.times < 0 || s.used[i] < r.times) && r.matches(x) && r.lucky(s.c.Seed, s.count, i) {
			s.used[i]++
			return s.script.changed(r.reply), i, s.count
		}
	}
	return s.script.changed(usual()), -1, s.count
}

func writeJSON(w http.ResponseWriter, status int, v value.Value) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(v.Append(nil)) // a client that no longer listens is no concern of ours
}
