//! Two macros that save typing where every aggregate would repeat the same lines.

/// Implements `cqrs_es::DomainEvent` from a list of frozen event names and their versions.
///
/// `NAMES` lets a test check that every event has its golden file.
macro_rules! domain_events {
    ($event:ident { $($variant:ident = $version:literal),+ $(,)? }) => {
        impl $event {
            /// Every event of this aggregate: its frozen name and current version.
            pub const NAMES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($variant), $version)),+];
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant)),+ }.to_owned()
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => $version),+ }.to_owned()
            }
        }
    };
}

/// Implements `cqrs_es::Aggregate` over the pure functions `decide` and `evolve` of the type.
macro_rules! aggregate {
    ($aggregate:ident, $type:literal, $command:ident, $event:ident, $error:ident) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $type;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                (): &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in self.decide(command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                *self = std::mem::take(self).evolve(event);
            }
        }
    };
}
