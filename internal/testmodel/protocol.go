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
}

// utterance is what the model says, before it has the form of a protocol.
type utterance struct {
	reply
	model   string
	text    string
	hasText bool
	usage   bool
}

func protocolOf(path string) (protocol, bool) {
	switch path {
	case "/chat/completions":
		return protocol{readChat, chatWhole, chatStream, openAIFailure}, true
	case "/responses":
		return protocol{readResponses, responsesWhole, responsesStream, openAIFailure}, true
	case "/messages":
		return protocol{readAnthropic, anthropicWhole, anthropicStream, anthropicFailure}, true
	}
	return protocol{}, false
}

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

// events writes server-sent events. A pause that is cut short and an abort end the handler.
type events struct {
	ctx        context.Context
	source     effect.Source
	w          http.ResponseWriter
	pause      time.Duration
	abortAfter int // pieces; negative for never
	pieces     int
	started    bool
}

// send writes one event; without a name it has only data.
func (e *events) send(name, data string) {
	if !e.started {
		e.started = true
		e.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		e.w.Header().Set("Cache-Control", "no-cache")
	}
	text := "data: " + data + "\n\n"
	if name != "" {
		text = "event: " + name + "\n" + text
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	_ = http.NewResponseController(e.w).Flush() // the writers of net/http can flush
}

// piece writes an event that carries a piece of text, with the pause before it and the abort that the script asks for.
func (e *events) piece(name, data string) {
	if e.pieces == e.abortAfter || (e.pieces > 0 && e.source.Sleep(e.ctx, e.pause) != nil) {
		panic(http.ErrAbortHandler) // the way of net/http to break a connection off
	}
	e.pieces++
	e.send(name, data)
}

// end breaks a stream off that had fewer pieces than the script wants, or exactly as many.
func (e *events) end() {
	if e.abortAfter >= 0 && e.pieces >= e.abortAfter {
		panic(http.ErrAbortHandler)
	}
}
