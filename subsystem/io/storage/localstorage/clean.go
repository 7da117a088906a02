package localstorage

import (
	"context"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// Start removes what writes of earlier processes left behind, and begins to remove objects whose time has passed, once
// an hour until Close.
func (s *store) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() {
		for s.clock.Sleep(ctx, cleanEvery) == nil {
			if err := s.clean(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "cannot remove what has expired", "error", err)
			}
		}
	})
	return s.objects.Sweep(s.clock.Now().Add(-abandoned))
}

// clean removes every object whose time has passed.
func (s *store) clean(ctx context.Context) error {
	for file, err := range s.objects.Walk("", "") {
		if err != nil || ctx.Err() != nil {
			return err
		}
		name, ok := nameOf(file)
		if !ok {
			continue
		}
		switch o, err := s.open(name); {
		case err == nil:
			err = o.close()
			if err != nil {
				return err
			}
		case fault.Is(err, fault.NotFound):
			if err := s.purge(ctx, name); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		case fault.CodeOf(err) != storage.CodeDamaged:
			return err
		}
	}
	return s.objects.Sweep(s.clock.Now().Add(-abandoned))
}
