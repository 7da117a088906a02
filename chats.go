package sre

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/chats"
	"github.com/sre-go/sre/internal/conversation"
)

// KeptChat is what is known of a conversation that is kept.
type KeptChat = chats.Chat

// keep says where a conversation is kept, and takes up one that goes on.
func (a *Agent) keep(ctx context.Context, o *ChatOptions, model string) (err error) {
	if !o.Keep && o.Resume == "" {
		if o.ID == "" {
			o.ID = "conv_" + a.runtime.effects.NewID()
		}
		return nil
	}
	if o.ID != "" || o.Store != nil || len(o.History) > 0 {
		return fault.Hint(fault.Newf(fault.Invalid, "a conversation that is kept has an id, a history and a store of its own"), "leave out ID, History and Store, or Keep and Resume")
	}
	room, err := a.chats(o.User)
	if err != nil {
		return err
	}
	var log *chats.Log
	if o.Resume == "" {
		log = room.Begin(model)
	} else if log, o.History, err = room.Resume(ctx, o.Resume); err != nil {
		return err
	}
	o.ID, o.Store, o.shelf = log.ID(), log, log
	return nil
}

// chats are the conversations of a user with the agent.
func (a *Agent) chats(user string) (*chats.Room, error) {
	if a.runtime.chats == nil {
		return nil, fault.Hint(fault.Newf(fault.Unavailable, "there is no data folder to keep conversations in"), "start the runtime with a data folder")
	}
	return a.runtime.chats.Of(chats.Owner{Team: a.Team(), Agent: a.ID(), User: user}), nil
}

// Chats returns the conversations of a user with the agent that are kept, the last one first: those that changed before
// a time, zero for all. At most limit are returned, 0 for as many as one list holds.
func (a *Agent) Chats(ctx context.Context, user string, before time.Time, limit int) ([]KeptChat, error) {
	room, err := a.chats(user)
	if err != nil {
		return nil, err
	}
	return room.List(ctx, before, limit)
}

// FindChat returns what is known of a conversation of a user with the agent; another one's is [fault.NotFound].
func (a *Agent) FindChat(ctx context.Context, user, id string) (KeptChat, error) {
	room, err := a.chats(user)
	if err != nil {
		return KeptChat{}, err
	}
	return room.Find(ctx, id)
}

// DeleteChat deletes a conversation of a user with the agent; another one's is [fault.NotFound].
func (a *Agent) DeleteChat(ctx context.Context, user, id string) error {
	room, err := a.chats(user)
	if err != nil {
		return err
	}
	return room.Delete(ctx, id)
}

// Chats returns the conversations that are kept, whosever they are, the last one first: it is for operators. agent is
// the id of one, or "" for all.
func (rt *Runtime) Chats(ctx context.Context, agent string, before time.Time, limit int) ([]KeptChat, error) {
	if rt.chats == nil {
		return nil, nil
	}
	return rt.chats.List(ctx, agent, before, limit)
}

// ReadChat returns a conversation, whosever it is: it is for operators.
func (rt *Runtime) ReadChat(ctx context.Context, id string) (KeptChat, []conversation.Entry, error) {
	chat, room, err := rt.chatRoom(ctx, id)
	if err != nil {
		return chat, nil, err
	}
	_, entries, err := room.Resume(ctx, id)
	return chat, entries, err
}

// DeleteChat deletes a conversation, whosever it is: it is for operators.
func (rt *Runtime) DeleteChat(ctx context.Context, id string) error {
	_, room, err := rt.chatRoom(ctx, id)
	if err != nil {
		return err
	}
	return room.Delete(ctx, id)
}

func (rt *Runtime) chatRoom(ctx context.Context, id string) (KeptChat, *chats.Room, error) {
	if rt.chats == nil {
		return KeptChat{}, nil, &fault.Error{Op: "chats.find", Resource: id, Kind: fault.NotFound}
	}
	chat, err := rt.chats.Find(ctx, id)
	return chat, rt.chats.Of(chat.Owner), err
}
