package testmodel

import (
	"context"
	"net/http"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/value"
)

// protocol is one way to speak with a model.
type protocol struct {
	read   func(body value.Value) exchange
	whole  func(u utterance) value.Value
	stream func(e *events, u utterance)
	fail   func(failure value.Value) value.Value

	// cry says in a stream that it failed.
	cry         func(e *events, failure value.Value)
	errorHeader string // names the type of a failure, "" when the body does
}

// utterance is what the model says, before it has the form of a protocol.
type utterance struct {
	reply
	model   string
	text    string
	hasText bool
	usage   bool
	stream  bool
}

// protocolOf returns the protocol that is spoken at a path, such as "/v1/messages". Protocols that name the model in the
// path know it from there.
func protocolOf(path string) (protocol, bool) {
	switch path {
	case version + "/chat/completions":
		return protocol{read: readChat, whole: chatWhole, stream: chatStream, fail: openAIFailure, cry: openAICry}, true
	case version + "/responses":
		return protocol{read: readResponses, whole: responsesWhole, stream: responsesStream, fail: openAIFailure, cry: openAICry}, true
	case version + "/messages":
		return protocol{read: readAnthropic, whole: anthropicWhole, stream: anthropicStream, fail: anthropicFailure, cry: anthropicCry}, true
	}
	for _, find := range []func(path string) (protocol, bool){converseOf, ollamaOf, geminiOf, runwareOf} {
		if p, ok := find(path); ok {
			return p, true
		}
	}
	return protocol{}, false
}

// version begins the paths of most protocols.
const version = "/v1"

// finishOr returns the scripted reason to finish, or that of the protocol for tool calls and for plain text.
func (u utterance) finishOr(tools, plain string) string {
	switch {
	case u.finish != "":
		return u.finish
	case len(u.tools) > 0:
		return tools
	}
	return plain
}

// events writes the pieces of a streamed answer. A pause that is cut short and an abort end the handler.
type events struct {
	ctx        context.Context
	source     effect.Source
	w          *faulty
	pause      time.Duration
	abortAfter int // pieces; negative for never
	cryAfter   int // pieces, then the stream says that it failed; negative for never
	cry        func()
	mute       bool // the stream ends without saying why
	pieces     int
	started    bool
	over       bool // it has failed: nothing is sent any more
}

// emit writes bytes of a type and sends them on their way.
func (e *events) emit(contentType string, data []byte) {
	if e.over {
		return
	}
	if !e.started {
		e.started = true
		e.w.Header().Set("Content-Type", contentType)
		e.w.Header().Set("Cache-Control", "no-cache")
	}
	if _, err := e.w.Write(data); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	_ = http.NewResponseController(e.w).Flush() // the writers of net/http can flush
}

// send writes one server-sent event; without a name it has only data.
func (e *events) send(name, data string) {
	text := "data: " + data + "\n\n"
	if name != "" {
		text = "event: " + name + "\n" + text
	}
	e.emit("text/event-stream; charset=utf-8", []byte(text))
}

// fail says that the stream failed; nothing follows.
func (e *events) fail() {
	e.cry()
	e.over = true
}

// step goes before a piece that carries text, with the pause and the abort that the script asks for.
func (e *events) step() {
	if e.pieces == e.abortAfter {
		e.w.halt()
	}
	if e.pieces == e.cryAfter {
		e.fail()
	}
	if e.pieces > 0 && e.source.Sleep(e.ctx, e.pause) != nil {
		panic(http.ErrAbortHandler) // the way of net/http to break a connection off
	}
	e.pieces++
}

// piece writes a server-sent event that carries a piece of text.
func (e *events) piece(name, data string) {
	e.step()
	e.send(name, data)
}

// end breaks a stream off that had fewer pieces than the script wants, or exactly as many. It reports whether the stream
// ends here, without a reason.
func (e *events) end() bool {
	if e.abortAfter >= 0 && e.pieces >= e.abortAfter {
		e.w.halt()
	}
	if e.cryAfter >= 0 {
		e.fail()
	}
	return e.mute
}
