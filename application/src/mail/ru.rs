//! The mails in Russian.

use super::{Link, Mail};

const BYE: &str = "Synkro\n";

/// Subject and text.
pub(super) fn text(mail: &Mail<'_>) -> (String, String) {
    match mail {
        Mail::PasswordReset { link, minutes } => (
            "Новый пароль для Synkro".into(),
            format!(
                "Здравствуйте!\n\nДля этого адреса запросили новый пароль. Задайте его здесь:\n\n{}\n\n\
                 Ссылка работает один раз, в течение {minutes} мин. Если это были не вы, ничего не делайте: пароль \
                 останется прежним.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::PasswordWasReset => (
            "Ваш пароль для Synkro изменён".into(),
            format!(
                "Здравствуйте!\n\nВаш пароль изменён по ссылке, отправленной на этот адрес; на всех устройствах выполнен \
                 выход.\nЕсли это были не вы, сразу запросите новый пароль и сообщите владельцу компании.\n\n{BYE}"
            ),
        ),
        Mail::Invitation { company, link, days } => (
            format!("Вас приглашают в {company} в Synkro"),
            format!(
                "Здравствуйте!\n\nВас приглашают работать в компании {company} в Synkro. Укажите имя и пароль здесь:\n\n{}\
                 \n\nСсылка работает один раз, срок действия в днях: {days}. Если вы этого не ждали, ничего не \
                 делайте.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::StaffInvitation { link, days } => (
            "Вы в команде Synkro".into(),
            format!(
                "Здравствуйте!\n\nВам открыт доступ сотрудника Synkro. Задайте пароль здесь:\n\n{}\n\n\
                 Ссылка работает один раз, дней: {days}. Если вы этого не ждали, сообщите super_admin.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::SecondFactorReset { link, days } => second_factor_reset(link, *days),
        Mail::EmailConfirmation { link, minutes } => (
            "Подтвердите адрес почты для Synkro".into(),
            format!(
                "Здравствуйте!\n\nПодтвердите, что будете входить в Synkro с этим адресом:\n\n{}\n\n\
                 Ссылка работает один раз, в течение {minutes} мин. Если это были не вы, ничего не делайте.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::EmailChangeRequested { new } => (
            "Запрошен другой адрес почты для Synkro".into(),
            format!(
                "Здравствуйте!\n\nВошедший под вашим именем попросил входить с адресом {new} вместо этого. Адрес \
                 изменится,\nкогда его там подтвердят. Если это были не вы, сейчас же смените пароль.\n\n{BYE}"
            ),
        ),
        Mail::EmailChanged { new } => (
            "Ваш адрес почты для Synkro изменён".into(),
            format!(
                "Здравствуйте!\n\nТеперь вы входите в Synkro с адресом {new}, а не с этим. Если это были не вы, сразу \
                 сообщите\nвладельцу компании.\n\n{BYE}"
            ),
        ),
    }
}

fn second_factor_reset(link: &Link, days: i64) -> (String, String) {
    (
        "Ваше приложение с кодами для Synkro отключено".into(),
        format!(
            "Здравствуйте!\n\nsuper_admin отключил ваше утерянное приложение с кодами и вместе с ним пароль; все сеансы \
                 завершены.\nЗадайте новый пароль, войдите и подключите новое приложение:\n\n{}\n\n\
                 Ссылка работает один раз, дней: {days}. Если вы об этом не просили, сразу сообщите super_admin.\n\n{BYE}",
            link.reveal()
        ),
    )
}
